//! What a trait under `#[service]` says, or at which of its lines it goes wrong.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    Attribute, Error, Expr, FnArg, GenericArgument, Ident, ItemTrait, LitStr, Pat, PatType, PathArguments,
    Receiver, ReturnType, Signature, TraitItem, TraitItemFn, Type, Visibility, spanned::Spanned,
};

/// A service, as its trait defines it.
pub(crate) struct Service {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    pub(crate) methods: Vec<Method>,
}

/// One method of it.
pub(crate) struct Method {
    pub(crate) attributes: Vec<Attribute>,
    /// The function's name.
    pub(crate) function: Ident,
    /// The name of the type that stands for the method.
    pub(crate) marker: Ident,
    /// The name on the wire.
    pub(crate) wire_name: String,
    pub(crate) notifiable: bool,
    pub(crate) queued: bool,
    /// The most bytes of a request, if there is such a bound.
    pub(crate) largest: Option<Expr>,
    /// The context, as the trait names it.
    pub(crate) context: PatType,
    /// The request's own name and type, unless there is nothing to say.
    pub(crate) request: Option<(Ident, Type)>,
    /// What `Result` holds in the return type; nothing for `()`.
    pub(crate) reply: Option<Type>,
    pub(crate) returns: Type,
}

impl Service {
    /// Tells of everything that is wrong with the trait, and of the first mistake in each method.
    pub(crate) fn read(arguments: &TokenStream, definition: ItemTrait) -> syn::Result<Self> {
        let ItemTrait {
            attrs: attributes, vis: visibility, ident: name, generics, supertraits, items, ..
        } = definition;
        let mut checks = vec![
            refuse(!arguments.is_empty(), arguments, "`service` takes no arguments"),
            refuse(!generics.params.is_empty(), &generics, "a service has no parameters"),
            refuse(!supertraits.is_empty(), &supertraits, "a service has no supertraits"),
            refuse(items.is_empty(), &name, "a service has at least one method"),
        ];
        let mut methods = Vec::<Method>::new();
        for item in items {
            checks.push(Method::read(item).and_then(|method| {
                let taken = methods.iter().any(|earlier| earlier.wire_name == method.wire_name);
                refuse(taken, &method.function, "another method has this name on the wire")?;
                methods.push(method);
                Ok(())
            }));
        }
        all(checks).map(|()| Self { attributes, visibility, name, methods })
    }
}

impl Method {
    fn read(item: TraitItem) -> syn::Result<Self> {
        let TraitItem::Fn(TraitItemFn { attrs, sig, default, .. }) = item else {
            return Err(Error::new(item.span(), "a service has methods only"));
        };
        refuse(sig.asyncness.is_none(), sig.fn_token, "a method of a service is an `async fn`")?;
        refuse(!sig.generics.params.is_empty(), &sig.generics, "a method has no parameters of its own")?;
        refuse(default.is_some(), &default, "a method has no body here: servers give it one")?;
        let options = Options::read(&attrs)?;
        let (context, request) = arguments(&sig)?;
        let (reply, returns) = answer(&sig)?;
        let camel = pascal_case(&sig.ident.to_string());
        Ok(Self {
            attributes: attrs.into_iter().filter(|attribute| !attribute.path().is_ident("method")).collect(),
            marker: Ident::new(&camel, sig.ident.span()),
            wire_name: options.name.unwrap_or(camel),
            notifiable: options.notifiable,
            queued: options.queued,
            largest: options.largest,
            function: sig.ident,
            context,
            request,
            reply,
            returns,
        })
    }
}

/// What `#[method(…)]` says.
#[derive(Default)]
struct Options {
    name: Option<String>,
    notifiable: bool,
    queued: bool,
    largest: Option<Expr>,
}

const OPTIONS: &str = "expected `name = \"…\"`, `notification`, `queued` or `largest = BYTES`";

impl Options {
    fn read(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut options = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("method")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("name") {
                    let name: LitStr = meta.value()?.parse()?;
                    let fits = (1..=255).contains(&name.value().len());
                    refuse(!fits, &name, "a name has 1 to 255 bytes")?;
                    options.name = Some(name.value());
                } else if meta.path.is_ident("notification") {
                    options.notifiable = true;
                } else if meta.path.is_ident("queued") {
                    options.queued = true;
                } else if meta.path.is_ident("largest") {
                    options.largest = Some(meta.value()?.parse()?);
                } else {
                    return Err(meta.error(OPTIONS));
                }
                Ok(())
            })?;
        }
        Ok(options)
    }
}

/// The context, and the one argument after it, if there is one.
fn arguments(signature: &Signature) -> syn::Result<(PatType, Option<(Ident, Type)>)> {
    let inputs = signature.inputs.iter().collect::<Vec<_>>();
    let (context, request) = match inputs[..] {
        [FnArg::Receiver(me), FnArg::Typed(context), ref more @ ..] if is_shared(me) && more.len() <= 1 => {
            (context, more.first())
        }
        _ => return Err(Error::new(signature.paren_token.span.join(), ARGUMENTS)),
    };
    refuse(!matches!(*context.ty, Type::Reference(_)), context, ARGUMENTS)?;
    let Some(FnArg::Typed(request)) = request else { return Ok((context.clone(), None)) };
    let by_reference = matches!(*request.ty, Type::Reference(_));
    refuse(by_reference, &request.ty, "a request is taken by value: it came over the wire")?;
    match &*request.pat {
        Pat::Ident(name) => Ok((context.clone(), Some((name.ident.clone(), (*request.ty).clone())))),
        other => Err(Error::new_spanned(other, "a request has a plain name")),
    }
}

const ARGUMENTS: &str = "a method takes `&self`, `cx: &Context` and at most one request";

fn is_shared(me: &Receiver) -> bool {
    me.reference.is_some() && me.mutability.is_none()
}

/// What a method replies with, nothing for `()`, and its whole return type.
fn answer(signature: &Signature) -> syn::Result<(Option<Type>, Type)> {
    const ANSWER: &str = "a method returns `Result<Reply, Fault>`";
    let ReturnType::Type(_, returns) = &signature.output else {
        return Err(Error::new(signature.ident.span(), ANSWER));
    };
    let last = match &**returns {
        Type::Path(path) => path.path.segments.last().filter(|last| last.ident == "Result"),
        _ => None,
    };
    let reply = last.and_then(|result| match &result.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.first(),
        _ => None,
    });
    let Some(GenericArgument::Type(reply)) = reply else {
        return Err(Error::new(returns.span(), ANSWER));
    };
    let nothing = matches!(reply, Type::Tuple(tuple) if tuple.elems.is_empty());
    Ok(((!nothing).then(|| reply.clone()), (**returns).clone()))
}

fn pascal_case(snake: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    snake.trim_start_matches("r#").split('_').filter_map(capital).collect()
}

fn refuse(wrong: bool, place: impl ToTokens, message: &str) -> syn::Result<()> {
    if wrong { Err(Error::new_spanned(place, message)) } else { Ok(()) }
}

/// All that is wrong, told at once.
fn all(checks: Vec<syn::Result<()>>) -> syn::Result<()> {
    let errors = checks.into_iter().filter_map(Result::err).reduce(|mut errors, error| {
        errors.combine(error);
        errors
    });
    errors.map_or(Ok(()), Err)
}
