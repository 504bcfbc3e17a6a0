//! The mirror is whole: the sources of `wandb-models`, and of what it gives out of `wandb-artifacts`, are compared with what is
//! listed in [`crate::surface`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{FnArg, ImplItem, Item, ReturnType, TraitItem, UseTree, Visibility};

/// Types that give out handles and are not mirrored, each with the reason.
const EXEMPT: &[(&str, &str)] = &[
    (
        "Draft",
        "its methods are mirrored on `ArtifactDraft`, which derefs to it",
    ),
    (
        "MediaCell",
        "it borrows from its table: `table.mirrored(cell.media()?)`",
    ),
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
    /// Public fields, or the variants of an enum, with the type names in each.
    fields: BTreeMap<String, Vec<(String, BTreeSet<String>)>>,
    enums: BTreeSet<String>,
    /// What a name stands for.
    aliases: BTreeMap<String, String>,
    /// What a type derefs to.
    derefs: BTreeMap<String, String>,
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

/// Whether something is there with the features of object stores only, and this build has none of them.
fn is_left_out(attributes: &[syn::Attribute]) -> bool {
    let has_stores = cfg!(any(feature = "s3", feature = "gs", feature = "azure"));
    !has_stores
        && attributes.iter().any(|attribute| {
            attribute.meta.require_list().is_ok_and(|list| {
                list.path.is_ident("cfg") && list.tokens.to_string().contains("feature = \"s3\"")
            })
        })
}

fn last_name(kind: &syn::Type) -> Option<String> {
    let syn::Type::Path(path) = kind else { return None };
    path.path.segments.last().map(|segment| segment.ident.to_string())
}

impl Sources {
    fn read(folders: &[PathBuf]) -> Self {
        let mut sources = Self::default();
        let mut open = folders.to_vec();
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
                Item::Enum(item) => {
                    let variants = item.variants.iter().map(|variant| {
                        let mut names = Names::default();
                        names.visit_fields(&variant.fields);
                        (variant.ident.to_string(), names.0)
                    });
                    self.fields.insert(item.ident.to_string(), variants.collect());
                    self.enums.insert(item.ident.to_string());
                }
                Item::Type(item) if is_public(&item.vis) => {
                    if let Some(target) = last_name(&item.ty) {
                        self.aliases.insert(item.ident.to_string(), target);
                    }
                }
                Item::Trait(item) if is_public(&item.vis) => {
                    let signatures = item.items.iter().filter_map(|item| match item {
                        TraitItem::Fn(method) => Some(&method.sig),
                        _ => None,
                    });
                    self.add_signatures(&item.ident.to_string(), signatures);
                }
                Item::Impl(item) if !is_test(&item.attrs) => match &item.trait_ {
                    None => self.add_methods(item),
                    Some((_, name, _)) if name.is_ident("Deref") => self.add_deref(item),
                    Some(_) => {}
                },
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
        let Some(owner) = last_name(&item.self_ty) else {
            return;
        };
        let signatures = item.items.iter().filter_map(|item| match item {
            ImplItem::Fn(method) if is_public(&method.vis) && !is_left_out(&method.attrs) => {
                Some(&method.sig)
            }
            _ => None,
        });
        self.add_signatures(&owner, signatures);
    }

    fn add_signatures<'a>(&mut self, owner: &str, signatures: impl Iterator<Item = &'a syn::Signature>) {
        for signature in signatures {
            let mut gives = match &signature.output {
                ReturnType::Default => BTreeSet::new(),
                ReturnType::Type(_, kind) => names_in(kind),
            };
            if gives.remove("Self") {
                gives.insert(owner.to_owned());
            }
            let receiver = signature.inputs.first();
            self.methods.entry(owner.to_owned()).or_default().push(Method {
                name: signature.ident.to_string(),
                waits: signature.asyncness.is_some(),
                takes_self: matches!(receiver, Some(FnArg::Receiver(receiver)) if receiver.reference.is_none()),
                gives,
            });
        }
    }

    fn add_deref(&mut self, item: &syn::ItemImpl) {
        let target = item.items.iter().find_map(|item| match item {
            ImplItem::Type(target) => last_name(&target.ty),
            _ => None,
        });
        if let Some((owner, target)) = last_name(&item.self_ty).zip(target) {
            self.derefs.insert(owner, target);
        }
    }

    /// The exported types that wait, or that lead to one that does.
    fn handles(&self, exempt: &[(&str, &str)]) -> BTreeSet<String> {
        let is_exempt = |owner: &String| exempt.iter().any(|(name, _)| name == owner);
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
            let by_name = self
                .aliases
                .iter()
                .filter(|(_, target)| handles.contains(*target));
            let found: BTreeSet<String> = by_method
                .map(|(owner, _)| owner)
                .chain(by_field.map(|(owner, _)| owner))
                .chain(by_name.map(|(name, _)| name))
                .filter(|owner| self.exported.contains(*owner) && !handles.contains(*owner))
                .filter(|owner| !is_exempt(owner))
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
        // A handle behind another one is reached by the field or method that gives it out.
        let target = self.derefs.get(owner).filter(|target| !handles.contains(*target));
        let through = target
            .and_then(|target| self.methods.get(target))
            .into_iter()
            .flatten()
            .filter(|method| method.waits || leads(&method.gives))
            .map(|method| method.name.clone());
        let fields = self.fields.get(owner).into_iter().flatten();
        let fields = fields
            .filter(|(_, names)| self.enums.contains(owner) || leads(names))
            .map(|(name, _)| name.clone());
        methods.chain(through).chain(fields).collect()
    }
}

/// What the sources have and the mirror has not.
fn missing(
    sources: &Sources,
    mirrored: &BTreeMap<&str, BTreeSet<String>>,
    exempt: &[(&str, &str)],
) -> Vec<String> {
    let handles = sources.handles(exempt);
    let mut missing = Vec::new();
    for owner in &handles {
        if matches!(owner.as_str(), "ItemStream" | "Pages") {
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
    use crate::surface::{MIRRORED, WRITTEN};
    let names =
        |methods: &[&str]| -> BTreeSet<String> { methods.iter().map(|name| (*name).to_owned()).collect() };
    let listed = MIRRORED.iter().copied().flatten();
    let listed = listed.map(|(owner, methods)| (*owner, names(methods)));
    let written = WRITTEN.iter().copied().flatten();
    let written = written.map(|(owner, methods)| (*owner, names(&methods.concat())));
    let mut mirrored: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (owner, methods) in listed.chain(written) {
        mirrored.entry(owner).or_default().extend(methods);
    }
    mirrored
}

#[test]
fn the_mirror_is_whole() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders = vec!["wandb-models/src", "wandb-artifacts/src/draft"];
    if cfg!(feature = "media") {
        folders.push("wandb-artifacts/src/media");
    }
    let folders: Vec<_> = folders.into_iter().map(|folder| crates.join(folder)).collect();
    let sources = Sources::read(&folders);
    let missing = missing(&sources, &mirrored(), EXEMPT);
    assert!(
        missing.is_empty(),
        "the blocking client lacks {} methods; add their signatures to crates/wandb-blocking/src/surface:\n{}",
        missing.len(),
        missing.join("\n")
    );
    // Nothing that is gone, or was never a handle, is listed.
    let handles = sources.handles(EXEMPT);
    for (owner, methods) in mirrored() {
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
    // What media are without the feature, nobody can say.
    let gone = |name: &str| cfg!(feature = "media") && !sources.methods.contains_key(name);
    for (name, reason) in EXEMPT {
        assert!(!gone(name) && !reason.is_empty(), "{name}");
    }
}

#[test]
fn the_check_finds_what_is_missing() {
    let mut sources = Sources::default();
    let text = "
        pub use inner::{Listing, Names, Handle, Data, Holder, Builder, Wrapper, Any, Reader, Inner};
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
        impl Inner { pub async fn add(&mut self) {} pub fn plain(&self) {} pub fn with(self) -> Self { self } }
        impl Wrapper { pub async fn send(&self) {} }
        impl Deref for Wrapper { type Target = Inner; fn deref(&self) -> &Inner { todo() } }
        pub enum Any { Handle(Handle), Data { name: String } }
        pub enum Plain { Data(Data) }
        pub struct Listing<Q> { query: Q }
        impl<Q> Listing<Q> { pub fn stream(self) -> ItemStream<'static, Q::Item> { todo() } }
        pub type Names = Listing<Q>;
        impl Names { pub fn narrow(self) -> Self { self } pub fn shown(&self) -> u64 { 0 } }
        pub trait Reader { async fn bytes(&self); fn id(&self) -> u64; }
        struct Private; impl Private { pub async fn load(&self) {} }
        #[cfg(test)] mod tests { impl Handle { pub async fn tested(&self) {} } }
    ";
    sources.add(&syn::parse_file(text).unwrap().items);
    let mut there = BTreeMap::from([("Handle", BTreeSet::from(["load".to_owned()]))]);
    assert_eq!(
        missing(&sources, &there, &[("Inner", "through Wrapper")]),
        [
            "Any::Data",
            "Any::Handle",
            "Builder::build",
            "Builder::limit",
            "Handle::again",
            "Handle::items",
            "Holder::handle",
            "Listing::stream",
            "Names::narrow",
            "Reader::bytes",
            "Wrapper::add",
            "Wrapper::send"
        ]
    );
    there.insert("Builder", ["build", "limit"].map(str::to_owned).into());
    there.insert("Holder", ["handle"].map(str::to_owned).into());
    there.insert("Any", ["Data", "Handle"].map(str::to_owned).into());
    there.insert("Listing", ["stream"].map(str::to_owned).into());
    there.insert("Names", ["narrow"].map(str::to_owned).into());
    there.insert("Reader", ["bytes"].map(str::to_owned).into());
    there.insert("Wrapper", ["add", "send"].map(str::to_owned).into());
    there.insert("Handle", ["load", "again", "items"].map(str::to_owned).into());
    assert_eq!(
        missing(&sources, &there, &[("Inner", "through Wrapper")]),
        [""; 0]
    );
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
