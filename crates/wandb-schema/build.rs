//! Registers `schema/wandb.graphql` with cynic, so that every operation of this crate is checked at compile time.

fn main() {
    // Asked at run time: two checkouts that share a target folder share this script's binary.
    let folder =
        std::env::var("CARGO_MANIFEST_DIR").expect("cargo names the package's folder to its build script");
    let schema = format!("{folder}/../../schema/wandb.graphql");
    println!("cargo:rerun-if-changed={schema}");
    cynic_codegen::register_schema("wandb")
        .from_sdl_file(&schema)
        .expect("schema/wandb.graphql is a valid GraphQL schema")
        .as_default()
        .expect("one schema is the default");
}
