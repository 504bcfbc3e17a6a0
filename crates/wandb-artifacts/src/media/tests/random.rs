//! Objects at random: every one is media or an error, and none a panic.

use proptest::prelude::*;

use super::*;

/// Members that media objects have, with values of any type.
fn any_object() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("NaN".to_owned()),
        Just("-1".to_owned()),
        Just("18446744073709551616".to_owned()),
        Just("\"a/b.png\"".to_owned()),
        Just("\"wandb-artifact://61/x\"".to_owned()),
        Just("\"../x\"".to_owned()),
    ];
    let key = prop::sample::select(vec![
        "_type",
        "type",
        "path",
        "sha256",
        "size",
        "width",
        "caption",
        "classes",
        "boxes",
        "masks",
        "class_set",
        "id",
        "box_data",
        "position",
        "middle",
        "minX",
        "scores",
        "values",
        "bins",
        "packedBins",
        "min",
        "filenames",
        "captions",
        "all_boxes",
        "all_masks",
        "audio",
        "objects",
        "table1",
        "table2",
        "join_key",
        "parts_path",
        "artifact_path",
        "nrows",
        "wb_type",
        "params",
        "type_map",
        "allowed_types",
        "element_type",
        "shape",
        "serialization_path",
        "key",
        "columns",
        "data",
        "column_types",
        "log_mode",
        "increment_num",
        "ncols",
    ]);
    let kinds: Vec<String> = crate::media::lookup::KINDS
        .iter()
        .chain(crate::media::object::RUN_KINDS)
        .chain(&[
            "union",
            "list",
            "ndarray",
            "typedDict",
            "const",
            "classesId",
            "foreignKey",
        ])
        .map(|kind| format!("\"{kind}\""))
        .collect();
    let leaf = prop_oneof![2 => leaf, 1 => prop::sample::select(kinds)];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..4).prop_map(|list| format!("[{}]", list.join(","))),
            2 => proptest::collection::vec((key.clone(), inner), 0..6).prop_map(|members| {
                let members: Vec<String> =
                    members.into_iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_object_is_media_or_an_error(
        kind in prop::sample::select(crate::media::lookup::KINDS.to_vec()),
        run_kind in prop::sample::select(crate::media::object::RUN_KINDS.to_vec()),
        text in any_object(),
    ) {
        let name = format!("x.{kind}.json");
        if let Ok(Some(media)) = read(&memory(&name, text.clone()), "x") {
            let shown = format!("{media:?}");
            prop_assert!(!shown.is_empty());
        }
        // The members of the object under the types that only runs have.
        if let Some(members) = text.strip_prefix('{') {
            let separator = if members == "}" { "" } else { "," };
            let text = format!("{{\"_type\":\"{run_kind}\"{separator}{members}");
            let value = wandb_core::Value::parse(&text).unwrap();
            let _ = Media::from_value(&memory("x", ""), "key", &value);
        }
    }
}
