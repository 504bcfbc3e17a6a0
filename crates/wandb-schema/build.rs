//! Registers `schema/wandb.graphql` with cynic, so that every operation of this crate is checked at compile time.

fn main() {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schema/wandb.graphql");
    println!("cargo:rerun-if-changed={schema}");
    cynic_codegen::register_schema("wandb")
        .from_sdl_file(schema)
        .expect("schema/wandb.graphql is a valid GraphQL schema")
        .as_default()
        .expect("one schema is the default");
}
