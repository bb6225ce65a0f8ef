//! What a trait under `#[service]` says, or at which of its lines it goes wrong.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    Attribute, Error, Expr, FnArg, GenericArgument, Ident, ItemTrait, LitStr, PathArguments, ReturnType,
    TraitItem, TraitItemFn, Type, Visibility, spanned::Spanned,
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
    pub(crate) context: FnArg,
    /// The request's own name and type, unless there is nothing to say.
    pub(crate) request: Option<(Ident, Type)>,
    /// What `Result` holds in the return type; nothing for `()`.
    pub(crate) reply: Option<Type>,
    pub(crate) returns: Type,
}

impl Service {
    pub(crate) fn read(arguments: &TokenStream, definition: ItemTrait) -> syn::Result<Self> {
        let mut errors = Errors::default();
        errors.refuse(!arguments.is_empty(), arguments, "`service` takes no arguments");
        errors.refuse(
            !definition.generics.params.is_empty(),
            &definition.generics,
            "a service has no parameters",
        );
        errors.refuse(
            !definition.supertraits.is_empty(),
            &definition.supertraits,
            "a service has no supertraits",
        );
        errors.refuse(definition.items.is_empty(), &definition.ident, "a service has at least one method");
        let read = definition.items.into_iter().filter_map(|item| errors.keep(Method::read(item)));
        let methods = read.collect::<Vec<_>>();
        for (index, method) in methods.iter().enumerate() {
            let taken = methods.iter().take(index).any(|earlier| earlier.wire_name == method.wire_name);
            errors.refuse(taken, &method.function, "another method has this name on the wire");
        }
        let ItemTrait { attrs: attributes, vis: visibility, ident: name, .. } = definition;
        errors.into_result().map(|()| Self { attributes, visibility, name, methods })
    }
}

impl Method {
    fn read(item: TraitItem) -> syn::Result<Self> {
        let TraitItem::Fn(TraitItemFn { attrs, sig, default, .. }) = item else {
            return Err(Error::new(item.span(), "a service has methods only"));
        };
        let mut errors = Errors::default();
        errors.refuse(sig.asyncness.is_none(), sig.fn_token, "a method of a service is an `async fn`");
        errors.refuse(
            !sig.generics.params.is_empty(),
            &sig.generics,
            "a method has no parameters of its own",
        );
        errors.refuse(default.is_some(), &default, "a method has no body here: servers give it one");
        let options = errors.keep(Options::read(&attrs)).unwrap_or_default();
        let arguments = errors.keep(arguments(&sig.inputs, &sig.ident));
        let answer = errors.keep(answer(&sig.output, &sig.ident));
        errors.into_result()?;
        let missing = || Error::new(sig.ident.span(), ANSWER);
        let ((context, request), (reply, returns)) = arguments.zip(answer).ok_or_else(missing)?;
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

impl Options {
    fn read(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut options = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("method")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("name") {
                    let name: LitStr = meta.value()?.parse()?;
                    let fits = (1..=255).contains(&name.value().len());
                    options.name = Some(name.value()).filter(|_| fits);
                    fits.then_some(()).ok_or_else(|| Error::new(name.span(), "a name has 1 to 255 bytes"))
                } else if meta.path.is_ident("notification") {
                    options.notifiable = true;
                    Ok(())
                } else if meta.path.is_ident("queued") {
                    options.queued = true;
                    Ok(())
                } else if meta.path.is_ident("largest") {
                    options.largest = Some(meta.value()?.parse()?);
                    Ok(())
                } else {
                    Err(meta.error("expected `name = \"…\"`, `notification`, `queued` or `largest = BYTES`"))
                }
            })?;
        }
        Ok(options)
    }
}

/// The context, and the one argument after it, if there is one.
fn arguments<'a>(
    inputs: impl IntoIterator<Item = &'a FnArg>,
    method: &Ident,
) -> syn::Result<(FnArg, Option<(Ident, Type)>)> {
    const ARGUMENTS: &str = "a method takes `&self`, `cx: &Context` and at most one request";
    let mut inputs = inputs.into_iter();
    match inputs.next() {
        Some(FnArg::Receiver(me)) if me.reference.is_some() && me.mutability.is_none() => {}
        other => return Err(error_at(other, method, ARGUMENTS)),
    }
    let context = match inputs.next() {
        Some(FnArg::Typed(context)) if matches!(&*context.ty, Type::Reference(_)) => context.clone(),
        other => return Err(error_at(other, method, ARGUMENTS)),
    };
    let context = FnArg::Typed(context);
    let Some(request) = inputs.next() else { return Ok((context, None)) };
    if let Some(more) = inputs.next() {
        return Err(error_at(Some(more), method, ARGUMENTS));
    }
    let FnArg::Typed(typed) = request else { return Err(error_at(Some(request), method, ARGUMENTS)) };
    match (&*typed.pat, &*typed.ty) {
        (_, Type::Reference(_)) => {
            Err(error_at(Some(&typed.ty), method, "a request is taken by value: it came over the wire"))
        }
        (syn::Pat::Ident(name), kind) => Ok((context, Some((name.ident.clone(), kind.clone())))),
        _ => Err(error_at(Some(&typed.pat), method, "a request has a plain name")),
    }
}

const ANSWER: &str = "a method returns `Result<Reply, Fault>`";

/// What a method replies with, and its whole return type.
fn answer(output: &ReturnType, method: &Ident) -> syn::Result<(Option<Type>, Type)> {
    let ReturnType::Type(_, returns) = output else { return Err(Error::new(method.span(), ANSWER)) };
    let last = match &**returns {
        Type::Path(path) => path.path.segments.last().filter(|last| last.ident == "Result"),
        _ => None,
    };
    let reply = last.and_then(|result| match &result.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.first(),
        _ => None,
    });
    match reply {
        Some(GenericArgument::Type(Type::Tuple(tuple))) if tuple.elems.is_empty() => {
            Ok((None, (**returns).clone()))
        }
        Some(GenericArgument::Type(reply)) => Ok((Some(reply.clone()), (**returns).clone())),
        _ => Err(Error::new(returns.span(), ANSWER)),
    }
}

fn error_at(place: Option<&impl ToTokens>, method: &Ident, message: &str) -> Error {
    place.map_or_else(|| Error::new(method.span(), message), |place| Error::new_spanned(place, message))
}

fn pascal_case(snake: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    snake.trim_start_matches("r#").split('_').filter_map(capital).collect()
}

/// All that is wrong, to be told at once.
#[derive(Default)]
struct Errors(Option<Error>);

impl Errors {
    fn refuse(&mut self, wrong: bool, place: impl ToTokens, message: &str) {
        if wrong {
            self.add(Error::new_spanned(place, message));
        }
    }

    fn keep<T>(&mut self, read: syn::Result<T>) -> Option<T> {
        read.map_err(|error| self.add(error)).ok()
    }

    fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    fn into_result(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}
