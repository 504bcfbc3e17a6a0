//! Tables against another JSON parser, and in bounded memory.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use wandb_core::Value;

use crate::media::{
    Cell, MediaError, Table,
    tests::{memory, read},
};

fn parse(text: String) -> Result<Table, MediaError> {
    let media = read(&memory("t.table.json", text), "t")?;
    Ok(media.expect("it is there").into_table().expect("it is a table"))
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "\\PC{0,8}".prop_map(Json::from),
        "[\"\\\\\n,\\]\\[{}]{0,6}".prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            proptest::collection::vec(("[a-z]{1,3}", inner), 0..4)
                .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

fn any_table() -> impl Strategy<Value = Json> {
    (0_usize..5).prop_flat_map(|width| {
        let columns = proptest::collection::vec("\\PC{0,6}", width);
        let data = proptest::collection::vec(proptest::collection::vec(any_json(), width), 0..6);
        (columns, data).prop_map(|(columns, data)| {
            json!({"_type": "table", "ncols": columns.len(), "nrows": data.len(), "columns": columns, "data": data})
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn cells_are_those_of_another_parser(value in any_table(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let table = parse(text.unwrap()).unwrap();
        let data = value["data"].as_array().unwrap();
        prop_assert_eq!(table.len(), data.len());
        for (row, expected) in table.rows().zip(data) {
            let cells = Value::List(row.to_values());
            let expected = Value::parse(&expected.to_string()).unwrap();
            prop_assert!(cells.same_as(&expected), "{} {}", cells, expected);
            for column in 0..table.columns().len() {
                let cell = row.cell(column).unwrap().to_value();
                prop_assert!(cell.same_as(&expected.as_list().unwrap()[column]));
            }
            prop_assert!(row.cell(table.columns().len()).is_none());
        }
        let names: Vec<&str> = table.columns().iter().map(|column| column.name()).collect();
        let expected: Vec<&str> = value["columns"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        prop_assert_eq!(names, expected);
    }

    #[test]
    fn any_text_is_a_table_or_an_error(value in any_table(), place in any::<prop::sample::Index>(), with in "\\PC") {
        let mut text: Vec<char> = value.to_string().chars().collect();
        let place = place.index(text.len());
        text.splice(place..=place, with.chars());
        if let Ok(table) = parse(text.into_iter().collect()) {
            for row in table.rows() {
                prop_assert_eq!(row.cells().count(), table.columns().len());
            }
        }
    }
}

#[test]
fn repeated_keys_and_any_order_are_as_in_python() {
    let text = r#"{"data":[[9,9]],"columns":["x"],"data":[[1],[2]],"nrows":1,"nrows":2}"#;
    let table = parse(text.to_owned()).unwrap();
    assert_eq!(table.len(), 2);
    assert_eq!(table.row(1).unwrap().get("x").unwrap().as_i64(), Some(2));
}

#[test]
fn numbers_that_are_not_finite_or_large_survive() {
    let text = r#"{"columns":["x"],"data":[[NaN],[-Infinity],[18446744073709551615],[123456789012345678901234567890]]}"#;
    let table = parse(text.to_owned()).unwrap();
    let cell = |row: usize| table.row(row).unwrap().cell(0).unwrap();
    assert!(cell(0).as_f64().unwrap().is_nan());
    assert_eq!(cell(1).as_f64(), Some(f64::NEG_INFINITY));
    assert!(matches!(cell(2), Cell::Number(Value::UInt(u64::MAX))));
    assert!(matches!(cell(3), Cell::Number(Value::BigInt(_))));
}

#[test]
fn times_out_of_range_stay_numbers() {
    let text = r#"{"columns":["t"],"data":[[1e300],[9223372036854775807],[0.5],["soon"]],
        "column_types":{"wb_type":"dictionary","params":{"type_map":{"t":{"wb_type":"timestamp"}}}}}"#;
    let table = parse(text.to_owned()).unwrap();
    let cells: Vec<Cell<'_>> = table.rows().map(|row| row.cell(0).unwrap()).collect();
    assert!(matches!(cells[0], Cell::Number(_)) && matches!(cells[1], Cell::Number(_)));
    assert!(matches!(cells[2], Cell::Time(time) if time.unix_microseconds() == 500));
    assert_eq!(cells[3].as_str(), Some("soon"));
}

#[test]
fn two_hundred_thousand_rows_are_read() {
    let mut text = String::from(r#"{"_type":"table","columns":["n","s","x"],"data":["#);
    for row in 0..200_000 {
        if row > 0 {
            text.push(',');
        }
        text.push_str(&format!(
            r#"[{row}, "some text \u00e9 {row}", {}]"#,
            row as f64 / 7.0
        ));
    }
    text.push_str(r#"],"ncols":3,"nrows":200000}"#);
    let table = parse(text).unwrap();
    assert_eq!(table.len(), 200_000);
    assert!(
        table
            .rows()
            .enumerate()
            .all(|(index, row)| row.cell(0).unwrap().as_i64() == Some(index as i64))
    );
    assert_eq!(
        table.rows().nth(199_999).unwrap().get("s").unwrap().as_str(),
        Some("some text é 199999")
    );
}
