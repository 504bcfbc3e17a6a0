//! Columns of NumPy arrays.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, FixedSizeListArray, PrimitiveArray,
    builder::{BooleanBuilder, PrimitiveBuilder, StringBuilder},
    types::{
        ArrowPrimitiveType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
        UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_schema::{ArrowError, DataType, Field};
use wandb_artifacts::media::{ArrayView, Element};
use wandb_core::Value;

/// The type of a column whose cells are such arrays, or `None` when there is none.
pub(super) fn data_type(array: &ArrayView<'_>) -> Option<DataType> {
    let mut data_type = match array.element() {
        Element::Bool => DataType::Boolean,
        Element::Int(1) => DataType::Int8,
        Element::Int(2) => DataType::Int16,
        Element::Int(4) => DataType::Int32,
        Element::Int(8) => DataType::Int64,
        Element::UInt(1) => DataType::UInt8,
        Element::UInt(2) => DataType::UInt16,
        Element::UInt(4) => DataType::UInt32,
        Element::UInt(8) => DataType::UInt64,
        Element::Float(2) => DataType::Float16,
        Element::Float(4) => DataType::Float32,
        Element::Float(8) => DataType::Float64,
        Element::Text(_) | Element::Bytes(_) => DataType::Utf8,
        _ => return None,
    };
    for extent in array.shape().iter().rev() {
        data_type = DataType::FixedSizeList(
            Arc::new(Field::new_list_field(data_type, true)),
            i32::try_from(*extent).ok()?,
        );
    }
    Some(data_type)
}

/// The column of arrays of one type, without nulls.
///
/// # Errors
/// When the arrays do not fit the type, which would be a fault of this crate.
pub(super) fn build(cells: &[ArrayView<'_>], data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    let mut levels = Vec::new();
    let mut element = data_type;
    while let DataType::FixedSizeList(field, extent) = element {
        levels.push((Arc::clone(field), *extent));
        element = field.data_type();
    }
    let values = cells.iter().flat_map(ArrayView::iter);
    let integer = |value: &Value| match value {
        Value::Int(number) => Some(i128::from(*number)),
        Value::UInt(number) => Some(i128::from(*number)),
        _ => None,
    };
    macro_rules! integers {
        ($type:ty) => {
            primitive::<$type>(values, |value| integer(&value)?.try_into().ok())
        };
    }
    let mut array: ArrayRef = match element {
        DataType::Boolean => {
            let mut builder = BooleanBuilder::new();
            values.for_each(|value| builder.append_option(value.as_bool()));
            Arc::new(builder.finish())
        }
        DataType::Int8 => integers!(Int8Type),
        DataType::Int16 => integers!(Int16Type),
        DataType::Int32 => integers!(Int32Type),
        DataType::Int64 => integers!(Int64Type),
        DataType::UInt8 => integers!(UInt8Type),
        DataType::UInt16 => integers!(UInt16Type),
        DataType::UInt32 => integers!(UInt32Type),
        DataType::UInt64 => integers!(UInt64Type),
        // A float came out of so many bits, so it goes back into them without loss.
        DataType::Float16 => primitive::<Float16Type>(values, |value| {
            value
                .as_f64()
                .map(<Float16Type as ArrowPrimitiveType>::Native::from_f64)
        }),
        DataType::Float32 => {
            primitive::<Float32Type>(values, |value| value.as_f64().map(|float| float as f32))
        }
        DataType::Float64 => primitive::<Float64Type>(values, |value| value.as_f64()),
        _ => {
            let mut builder = StringBuilder::new();
            values.for_each(|value| builder.append_option(value.as_str()));
            Arc::new(builder.finish())
        }
    };
    // From the inside out; the number of lists is given, because extents of 0 leave none to count.
    let mut counts = vec![cells.len()];
    for (_, extent) in &levels {
        let inner = counts.last().copied().unwrap_or_default() * usize::try_from(*extent).unwrap_or_default();
        counts.push(inner);
    }
    for ((field, extent), count) in levels.into_iter().zip(counts).rev() {
        array = Arc::new(FixedSizeListArray::try_new_with_length(
            field, extent, array, None, count,
        )?);
    }
    Ok(array)
}

fn primitive<T: ArrowPrimitiveType>(
    values: impl Iterator<Item = Value>,
    convert: impl Fn(Value) -> Option<T::Native>,
) -> ArrayRef {
    let mut builder = PrimitiveBuilder::<T>::new();
    values.for_each(|value| builder.append_option(convert(value)));
    let array: PrimitiveArray<T> = builder.finish();
    Arc::new(array)
}
