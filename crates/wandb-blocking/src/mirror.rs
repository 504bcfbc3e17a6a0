//! How a result of the asynchronous client becomes one of the blocking client, and the macro that lists methods.

use wandb_core::Result;
use wandb_core::page::{ItemStream, Page, Pages};

use crate::Items;
use crate::runtime::Runtime;

/// A value that the asynchronous client gives, and what stands for it here: a handle is wrapped, a stream becomes an
/// iterator, plain data stays as it is, and containers hold what stands for their content.
pub trait Mirror {
    /// What stands for it.
    type Mirrored;

    #[doc(hidden)]
    fn mirror(self, runtime: &Runtime) -> Self::Mirrored;
}

impl<T: Mirror, E> Mirror for Result<T, E> {
    type Mirrored = Result<T::Mirrored, E>;

    fn mirror(self, runtime: &Runtime) -> Self::Mirrored {
        self.map(|value| value.mirror(runtime))
    }
}

impl<T: Mirror> Mirror for Option<T> {
    type Mirrored = Option<T::Mirrored>;

    fn mirror(self, runtime: &Runtime) -> Self::Mirrored {
        self.map(|value| value.mirror(runtime))
    }
}

impl<T: Mirror> Mirror for Vec<T> {
    type Mirrored = Vec<T::Mirrored>;

    fn mirror(self, runtime: &Runtime) -> Self::Mirrored {
        self.into_iter().map(|value| value.mirror(runtime)).collect()
    }
}

impl<A: Mirror, B: Mirror> Mirror for (A, B) {
    type Mirrored = (A::Mirrored, B::Mirrored);

    fn mirror(self, runtime: &Runtime) -> Self::Mirrored {
        (self.0.mirror(runtime), self.1.mirror(runtime))
    }
}

impl<T: Mirror> Mirror for Page<T> {
    type Mirrored = Page<T::Mirrored>;

    fn mirror(self, runtime: &Runtime) -> Self::Mirrored {
        Page {
            items: self.items.mirror(runtime),
            next: self.next,
        }
    }
}

impl<T> Mirror for ItemStream<'static, T> {
    type Mirrored = Items<Self>;

    fn mirror(self, runtime: &Runtime) -> Self::Mirrored {
        Items::new(self, runtime)
    }
}

impl<T> Mirror for Pages<'static, T> {
    type Mirrored = Items<Self>;

    fn mirror(self, runtime: &Runtime) -> Self::Mirrored {
        Items::new(self, runtime)
    }
}

/// Data that is the same in both clients.
macro_rules! plain {
    ($($kind:ty),* $(,)?) => {
        $(impl $crate::mirror::Mirror for $kind {
            type Mirrored = Self;

            fn mirror(self, _: &$crate::runtime::Runtime) -> Self {
                self
            }
        })*
    };
}

/// Lists the methods of handles, each by its signature as it is here.
///
/// ```text
/// mirror! {
///     Run {
///         async fn reload(&self) -> Result<Self>;      calls it and waits
///         fn files(&self) -> Files;                    calls it
///         field sweep -> Option<Sweep>;                a public field that holds a handle, as a method
///         by_hand from_env;                            is written out below, and named for the check
///     }
/// }
/// ```
///
/// A list of another crate than `wandb_models` begins with its module: `from wandb_artifacts::media;`.
///
/// For each name it makes the alias (`Run` for `Blocking<wandb_models::Run>`) and the methods, and for all of them
/// `MIRRORED`, which the check compares with the sources. An error of another type than [`wandb_core::Error`] becomes one
/// where there is something to wait for.
macro_rules! mirror {
    (from $root:ident :: $module:ident; $($name:ident { $($methods:tt)* })*) => {
        $crate::mirror::handles! { $($name [$root $module] { $($methods)* })* }
    };
    ($($name:ident { $($methods:tt)* })*) => {
        $crate::mirror::handles! { $($name [wandb_models] { $($methods)* })* }
    };
}

macro_rules! handles {
    ($($name:ident [$root:ident $($module:ident)*] { $($methods:tt)* })*) => {
        $(
            #[doc = concat!(
                "[`", stringify!($name), "`](", stringify!($root), "::", $(stringify!($module), "::",)*
                stringify!($name), ") whose methods wait."
            )]
            pub type $name = $crate::Blocking<$root::$($module::)*$name>;

            impl $crate::mirror::Mirror for $root::$($module::)*$name {
                type Mirrored = $crate::Blocking<Self>;

                fn mirror(self, runtime: &$crate::runtime::Runtime) -> Self::Mirrored {
                    $crate::Blocking { inner: self, runtime: runtime.clone() }
                }
            }

            impl $crate::Blocking<$root::$($module::)*$name> {
                $crate::mirror::methods!([$name $root $($module)*] $($methods)*);
            }
        )*

        /// What is mirrored here: types and their methods.
        #[cfg(test)]
        pub(crate) const MIRRORED: &[(&str, &[&str])] = &[
            $((stringify!($name), $crate::mirror::names!([] $($methods)*))),*
        ];
    };
}

macro_rules! methods {
    ($owner:tt) => {};
    ($owner:tt async fn $method:ident(&self $(, $argument:ident: $kind:ty)* $(,)?) -> $output:ty; $($rest:tt)*) => {
        #[doc = $crate::mirror::named!($owner $method "Waits for ")]
        #[doc = "\n\n# Errors\nAs there."]
        pub fn $method(&self $(, $argument: $kind)*) -> $output {
            $crate::mirror::Mirror::mirror(self.runtime.wait(self.inner.$method($($argument),*)), &self.runtime)
        }
        $crate::mirror::methods!($owner $($rest)*);
    };
    ($owner:tt async fn $method:ident(&mut self $(, $argument:ident: $kind:ty)* $(,)?) -> $output:ty; $($rest:tt)*) => {
        #[doc = $crate::mirror::named!($owner $method "Waits for ")]
        #[doc = "\n\n# Errors\nAs there."]
        pub fn $method(&mut self $(, $argument: $kind)*) -> $output {
            $crate::mirror::Mirror::mirror(self.runtime.wait(self.inner.$method($($argument),*)), &self.runtime)
        }
        $crate::mirror::methods!($owner $($rest)*);
    };
    ($owner:tt async fn $method:ident(self $(, $argument:ident: $kind:ty)* $(,)?) -> $output:ty; $($rest:tt)*) => {
        #[doc = $crate::mirror::named!($owner $method "Waits for ")]
        #[doc = "\n\n# Errors\nAs there."]
        pub fn $method(self $(, $argument: $kind)*) -> $output {
            let Self { inner, runtime } = self;
            $crate::mirror::Mirror::mirror(runtime.wait(inner.$method($($argument),*)), &runtime)
        }
        $crate::mirror::methods!($owner $($rest)*);
    };
    ($owner:tt fn $method:ident(&self $(, $argument:ident: $kind:ty)* $(,)?) -> $output:ty; $($rest:tt)*) => {
        #[doc = $crate::mirror::named!($owner $method "As ")]
        pub fn $method(&self $(, $argument: $kind)*) -> $output {
            $crate::mirror::Mirror::mirror(self.inner.$method($($argument),*), &self.runtime)
        }
        $crate::mirror::methods!($owner $($rest)*);
    };
    ($owner:tt fn $method:ident(self $(, $argument:ident: $kind:ty)* $(,)?) -> $output:ty; $($rest:tt)*) => {
        #[doc = $crate::mirror::named!($owner $method "As ")]
        pub fn $method(self $(, $argument: $kind)*) -> $output {
            let Self { inner, runtime } = self;
            $crate::mirror::Mirror::mirror(inner.$method($($argument),*), &runtime)
        }
        $crate::mirror::methods!($owner $($rest)*);
    };
    ($owner:tt field $field:ident -> $output:ty; $($rest:tt)*) => {
        #[doc = $crate::mirror::named!($owner $field "The field ")]
        pub fn $field(&self) -> $output {
            $crate::mirror::Mirror::mirror(self.inner.$field.clone(), &self.runtime)
        }
        $crate::mirror::methods!($owner $($rest)*);
    };
    ($owner:tt by_hand $method:ident; $($rest:tt)*) => {
        $crate::mirror::methods!($owner $($rest)*);
    };
}

macro_rules! named {
    ([$name:ident $root:ident $($module:ident)*] $method:ident $before:literal) => {
        concat!(
            $before, "[`", stringify!($name), "::", stringify!($method), "`](", stringify!($root), "::",
            $(stringify!($module), "::",)* stringify!($name), "::", stringify!($method), ")."
        )
    };
}

#[cfg(test)]
macro_rules! names {
    ([$($names:expr,)*]) => { &[$($names),*] };
    ([$($names:expr,)*] async fn $method:ident($($arguments:tt)*) -> $output:ty; $($rest:tt)*) => {
        $crate::mirror::names!([$($names,)* stringify!($method),] $($rest)*)
    };
    ([$($names:expr,)*] fn $method:ident($($arguments:tt)*) -> $output:ty; $($rest:tt)*) => {
        $crate::mirror::names!([$($names,)* stringify!($method),] $($rest)*)
    };
    ([$($names:expr,)*] field $method:ident -> $output:ty; $($rest:tt)*) => {
        $crate::mirror::names!([$($names,)* stringify!($method),] $($rest)*)
    };
    ([$($names:expr,)*] by_hand $method:ident; $($rest:tt)*) => {
        $crate::mirror::names!([$($names,)* stringify!($method),] $($rest)*)
    };
}

#[cfg(test)]
pub(crate) use names;
pub(crate) use {handles, methods, mirror, named, plain};
