//! A part of an array: the cell of one row.

use wandb_core::Value;

use super::{Element, NdArray};

/// The elements of one row of an array column, without a copy.
#[derive(Debug, Clone, Copy)]
pub struct ArrayView<'a> {
    element: Element,
    big_endian: bool,
    shape: &'a [usize],
    data: &'a [u8],
}

impl NdArray {
    /// All of it.
    #[must_use]
    pub fn view(&self) -> ArrayView<'_> {
        ArrayView {
            element: self.element,
            big_endian: self.big_endian,
            shape: &self.shape,
            data: &self.data,
        }
    }

    /// One row: the array at one place of the first axis.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<ArrayView<'_>> {
        self.view().at(row)
    }
}

impl<'a> ArrayView<'a> {
    /// The type of the elements.
    #[must_use]
    pub fn element(&self) -> Element {
        self.element
    }

    /// The extents; empty for a single number.
    #[must_use]
    pub fn shape(&self) -> &'a [usize] {
        self.shape
    }

    /// How many elements there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The array at one place of the first axis.
    #[must_use]
    pub fn at(&self, place: usize) -> Option<Self> {
        let (extent, shape) = self.shape.split_first()?;
        if place >= *extent {
            return None;
        }
        let size = shape.iter().product::<usize>() * self.element.size();
        Some(Self {
            shape,
            data: &self.data[place * size..(place + 1) * size],
            ..*self
        })
    }

    /// The elements in C order: the last index runs fastest.
    pub fn iter(&self) -> impl Iterator<Item = Value> + 'a {
        let view = *self;
        (0..self.len()).map(move |place| view.value(place))
    }

    /// The elements as floats, where they are numbers or truth values. Integers beyond 2⁵³ are rounded.
    #[must_use]
    pub fn to_f64(&self) -> Option<Vec<f64>> {
        self.iter()
            .map(|value| match value {
                Value::Bool(truth) => Some(f64::from(u8::from(truth))),
                value => value.as_f64(),
            })
            .collect()
    }

    /// The array as nested lists.
    #[must_use]
    pub fn to_value(&self) -> Value {
        // As deep as there are dimensions, of which the reader allows 64.
        match self.shape.first() {
            None => self.value(0),
            Some(extent) => Value::List(
                (0..*extent)
                    .filter_map(|place| self.at(place))
                    .map(|row| row.to_value())
                    .collect(),
            ),
        }
    }

    /// An element by its place in C order.
    fn value(&self, place: usize) -> Value {
        let size = self.element.size();
        let bytes = &self.data[place * size..(place + 1) * size];
        match self.element {
            Element::Bool => Value::Bool(bytes[0] != 0),
            Element::Int(_) => {
                // Moved to the upper end and back, so that the sign comes along.
                let shift = 64 - 8 * size as u32;
                Value::Int((self.bits(bytes) << shift).cast_signed() >> shift)
            }
            Element::UInt(_) => {
                let number = self.bits(bytes);
                i64::try_from(number).map_or(Value::UInt(number), Value::Int)
            }
            Element::Float(_) => Value::Float(self.float(bytes)),
            Element::Complex(_) => {
                let (real, imaginary) = bytes.split_at(size / 2);
                Value::List(vec![
                    Value::Float(self.float(real)),
                    Value::Float(self.float(imaginary)),
                ])
            }
            Element::Text(_) => {
                let text: String = bytes
                    .chunks_exact(4)
                    .map(|character| self.bits(character))
                    .map(|code| {
                        u32::try_from(code)
                            .ok()
                            .and_then(char::from_u32)
                            .unwrap_or(char::REPLACEMENT_CHARACTER)
                    })
                    .collect();
                Value::from(text.trim_end_matches('\0'))
            }
            Element::Bytes(_) => Value::from(String::from_utf8_lossy(bytes).trim_end_matches('\0')),
        }
    }

    /// Up to eight bytes as a number.
    fn bits(&self, bytes: &[u8]) -> u64 {
        let fold = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        if self.big_endian {
            bytes.iter().fold(0, fold)
        } else {
            bytes.iter().rev().fold(0, fold)
        }
    }

    fn float(&self, bytes: &[u8]) -> f64 {
        let bits = self.bits(bytes);
        match bytes.len() {
            8 => f64::from_bits(bits),
            // The casts lose nothing: so many bytes were read.
            4 => f64::from(f32::from_bits(bits as u32)),
            _ => half(bits as u16),
        }
    }
}

/// A float of 16 bits: 1 sign, 5 exponent, 10 fraction.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let exponent = i32::from(bits >> 10 & 31);
    let fraction = f64::from(bits & 1023);
    sign * match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2_f64.powi(exponent - 25),
    }
}
