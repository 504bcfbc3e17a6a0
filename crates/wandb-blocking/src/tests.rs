//! The mirror is whole: the sources of `wandb-models` are compared with what is listed in [`crate::surface`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{FnArg, ImplItem, Item, ReturnType, UseTree, Visibility};

use crate::surface::MIRRORED;

/// Types that give out handles and are not mirrored, each with the reason.
const EXEMPT: &[(&str, &str)] = &[];

/// What is not mirrored yet, as `Type::method`: an open gap that everybody can see. An entry that is mirrored, or gone, fails
/// the check too, so the list can only shrink.
const PENDING: &[&str] = &[
    // Behind the feature `media`. The types that it gives wait themselves (files, references to tables), so they need a
    // blocking form first.
    "Artifact::entry_reader",
    "Artifact::get",
    "Artifact::get_with",
    // Drafts: their content waits itself (`add_file` of wandb-artifacts), so it needs a blocking form first.
    "Artifact::new_draft",
    "ArtifactDraft::alias",
    "ArtifactDraft::description",
    "ArtifactDraft::log",
    "ArtifactDraft::log_in",
    "ArtifactDraft::metadata",
    "ArtifactDraft::metadata_key",
    "ArtifactDraft::new",
    "ArtifactDraft::reference",
    "ArtifactDraft::tag",
    "ArtifactDraft::ttl",
    "LoggedArtifact::artifact",
];

/// A public method of a type.
#[derive(Debug, Clone)]
struct Method {
    name: String,
    waits: bool,
    /// It takes the value itself, which `Deref` cannot give.
    takes_self: bool,
    /// The type names in what it gives.
    gives: BTreeSet<String>,
}

/// What the sources say.
#[derive(Debug, Default)]
struct Sources {
    exported: BTreeSet<String>,
    methods: BTreeMap<String, Vec<Method>>,
    /// Public fields, with the type names in each.
    fields: BTreeMap<String, Vec<(String, BTreeSet<String>)>>,
}

/// The last segments of the paths in a type.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl<'ast> Visit<'ast> for Names {
    fn visit_path_segment(&mut self, segment: &'ast syn::PathSegment) {
        self.0.insert(segment.ident.to_string());
        visit::visit_path_segment(self, segment);
    }
}

fn names_in(kind: &syn::Type) -> BTreeSet<String> {
    let mut names = Names::default();
    names.visit_type(kind);
    names.0
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Ident>()
                .is_ok_and(|name| name == "test")
    })
}

impl Sources {
    fn read(folder: &Path) -> Self {
        let mut sources = Self::default();
        let mut open = vec![folder.to_owned()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let file = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap();
                    sources.add(&file.items);
                }
            }
        }
        sources
    }

    fn add(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Mod(module) if !is_test(&module.attrs) => {
                    if let Some((_, items)) = &module.content {
                        self.add(items);
                    }
                }
                Item::Use(item) if is_public(&item.vis) => self.export(&item.tree),
                Item::Struct(item) => {
                    let public = item.fields.iter().filter(|field| is_public(&field.vis));
                    let fields = public
                        .filter_map(|field| Some((field.ident.as_ref()?.to_string(), names_in(&field.ty))));
                    self.fields.insert(item.ident.to_string(), fields.collect());
                }
                Item::Impl(item) if item.trait_.is_none() && !is_test(&item.attrs) => self.add_methods(item),
                _ => {}
            }
        }
    }

    fn export(&mut self, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => self.export(&path.tree),
            UseTree::Name(name) => {
                self.exported.insert(name.ident.to_string());
            }
            UseTree::Rename(name) => {
                self.exported.insert(name.rename.to_string());
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.export(tree)),
            UseTree::Glob(_) => {}
        }
    }

    fn add_methods(&mut self, item: &syn::ItemImpl) {
        let syn::Type::Path(path) = &*item.self_ty else {
            return;
        };
        let Some(owner) = path.path.segments.last().map(|segment| segment.ident.to_string()) else {
            return;
        };
        for method in &item.items {
            let ImplItem::Fn(method) = method else { continue };
            if !is_public(&method.vis) {
                continue;
            }
            let mut gives = match &method.sig.output {
                ReturnType::Default => BTreeSet::new(),
                ReturnType::Type(_, kind) => names_in(kind),
            };
            if gives.remove("Self") {
                gives.insert(owner.clone());
            }
            let receiver = method.sig.inputs.first();
            self.methods.entry(owner.clone()).or_default().push(Method {
                name: method.sig.ident.to_string(),
                waits: method.sig.asyncness.is_some(),
                takes_self: matches!(receiver, Some(FnArg::Receiver(receiver)) if receiver.reference.is_none()),
                gives,
            });
        }
    }

    /// The exported types that wait, or that lead to one that does.
    fn handles(&self) -> BTreeSet<String> {
        let mut handles: BTreeSet<String> = ["ItemStream", "Pages"].map(str::to_owned).into();
        loop {
            let leads = |names: &BTreeSet<String>| !names.is_disjoint(&handles);
            let by_method = self
                .methods
                .iter()
                .filter(|(_, methods)| methods.iter().any(|method| method.waits || leads(&method.gives)));
            let by_field = self
                .fields
                .iter()
                .filter(|(_, fields)| fields.iter().any(|(_, names)| leads(names)));
            let found: BTreeSet<String> = by_method
                .map(|(owner, _)| owner)
                .chain(by_field.map(|(owner, _)| owner))
                .filter(|owner| self.exported.contains(*owner) && !handles.contains(*owner))
                .cloned()
                .collect();
            if found.is_empty() {
                return handles;
            }
            handles.extend(found);
        }
    }

    /// What of a type has to be mirrored.
    fn required(&self, owner: &str, handles: &BTreeSet<String>) -> BTreeSet<String> {
        let leads = |names: &BTreeSet<String>| !names.is_disjoint(handles);
        let methods = self.methods.get(owner).into_iter().flatten();
        let methods = methods
            .filter(|method| method.waits || method.takes_self || leads(&method.gives))
            .map(|method| method.name.clone());
        let fields = self.fields.get(owner).into_iter().flatten();
        let fields = fields
            .filter(|(_, names)| leads(names))
            .map(|(name, _)| name.clone());
        methods.chain(fields).collect()
    }
}

/// What `wandb-models` has and the mirror has not.
fn missing(sources: &Sources, mirrored: &BTreeMap<&str, BTreeSet<String>>) -> Vec<String> {
    let handles = sources.handles();
    let mut missing = Vec::new();
    for owner in &handles {
        if matches!(owner.as_str(), "ItemStream" | "Pages") || EXEMPT.iter().any(|(name, _)| name == owner) {
            continue;
        }
        let none = BTreeSet::new();
        let there = mirrored.get(owner.as_str()).unwrap_or(&none);
        let lacking = sources.required(owner, &handles);
        missing.extend(lacking.difference(there).map(|name| format!("{owner}::{name}")));
    }
    missing
}

fn mirrored() -> BTreeMap<&'static str, BTreeSet<String>> {
    let names = |methods: &[&str]| methods.iter().map(|name| (*name).to_owned()).collect();
    MIRRORED
        .iter()
        .copied()
        .flatten()
        .map(|(owner, methods)| (*owner, names(methods)))
        .collect()
}

#[test]
fn the_mirror_is_whole() {
    let sources = Sources::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../wandb-models/src"));
    let mut missing = missing(&sources, &mirrored());
    let closed: Vec<&&str> = PENDING
        .iter()
        .filter(|name| !missing.iter().any(|lacking| lacking == *name))
        .collect();
    assert!(
        closed.is_empty(),
        "no longer lacking, so take them off the list: {closed:?}"
    );
    missing.retain(|name| !PENDING.contains(&name.as_str()));
    assert!(
        missing.is_empty(),
        "the blocking client lacks {} methods; add their signatures to crates/wandb-blocking/src/surface:\n{}",
        missing.len(),
        missing.join("\n")
    );
    // Nothing that is gone, or was never a handle, is listed.
    for (owner, methods) in mirrored() {
        let handles = sources.handles();
        assert!(handles.contains(owner), "{owner} is no handle");
        let superfluous: Vec<_> = methods
            .difference(&sources.required(owner, &handles))
            .cloned()
            .collect();
        assert!(
            superfluous.is_empty(),
            "{owner}: {superfluous:?} is reached through Deref, or gone"
        );
    }
    assert!(EXEMPT.iter().all(|(_, reason)| !reason.is_empty()));
}

#[test]
fn the_check_finds_what_is_missing() {
    let mut sources = Sources::default();
    let text = "
        pub use inner::{Handle, Data, Holder, Builder};
        pub struct Data { pub name: String }
        pub struct Holder { pub handle: Option<Handle>, other: Handle }
        impl Data { pub fn name(&self) -> &str { &self.name } pub fn with(self) -> Self { self } }
        impl Handle {
            pub async fn load(&self) -> Result<Data> { todo() }
            pub fn items(self) -> ItemStream<'static, Data> { todo() }
            pub fn again(&self) -> Self { todo() }
            pub fn id(&self) -> u64 { 0 }
            pub(crate) async fn hidden(&self) {}
        }
        impl Builder { pub fn limit(mut self, limit: u64) -> Self { self } pub fn build(self) -> Handle { todo() } }
        impl Deref for Handle { fn deref(&self) -> &Data { todo() } }
        struct Private; impl Private { pub async fn load(&self) {} }
        #[cfg(test)] mod tests { impl Handle { pub async fn tested(&self) {} } }
    ";
    sources.add(&syn::parse_file(text).unwrap().items);
    let mut there = BTreeMap::from([("Handle", BTreeSet::from(["load".to_owned()]))]);
    assert_eq!(
        missing(&sources, &there),
        [
            "Builder::build",
            "Builder::limit",
            "Handle::again",
            "Handle::items",
            "Holder::handle"
        ]
    );
    there.insert("Builder", ["build", "limit"].map(str::to_owned).into());
    there.insert("Holder", ["handle"].map(str::to_owned).into());
    there.insert("Handle", ["load", "again", "items"].map(str::to_owned).into());
    assert_eq!(missing(&sources, &there), [""; 0]);
}

#[test]
fn handles_are_send_and_sync() {
    fn check<T: Send + Sync + Clone + std::fmt::Debug + 'static>() {}
    check::<crate::Api>();
    check::<crate::Run>();
    check::<crate::Runs>();
    check::<crate::File>();
    check::<crate::Scan>();
    fn is_send<T: Send>() {}
    is_send::<crate::ScanStream>();
    is_send::<crate::Items<wandb_core::page::ItemStream<'static, wandb_models::Run>>>();
}
