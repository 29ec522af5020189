//! Words that the body may use: what it groups, sorts and measures by, and fields that a mask hides.
//!
//! The lists come from the operation, what a word means from the model of the body, and what is lifted from the
//! entitlements: nothing of it is the rewriter's.

use super::{Unproved, scope::Scope};
use crate::model::{
    body::{BodyModel, Dimension},
    contract::{Contract, Words},
    entitlement::Lift,
    org::Principal,
};

pub(super) struct Vocabulary<'a> {
    contract: &'a Contract,
    model: &'a BodyModel,
    bpo: bool,
    /// Mask classes that are lifted for every leg of the scope.
    lifted: Vec<&'a str>,
}

impl<'a> Vocabulary<'a> {
    pub(super) fn of(contract: &'a Contract, model: &'a BodyModel, scope: &Scope<'_>, lifts: &'a [Lift]) -> Self {
        let bpo = match scope.holder {
            Principal::User(user) => scope.org.users.get(user.index()).is_none_or(|user| user.bpo),
            Principal::Service(_) => false,
        };
        let lifted = lifts.iter().filter(|lift| scope.is_within(&lift.entitlements)).map(|lift| &*lift.class).collect();
        Self { contract, model, bpo, lifted }
    }

    /// Whether a mask hides this field from the holder.
    pub(super) fn hides(&self, name: &str, kind: Dimension) -> bool {
        match self.contract.masks.get(name) {
            Some(class) => !self.lifted.contains(&&**class),
            None => kind == Dimension::Masked,
        }
    }

    /// The list of the field at this place, if it has one.
    pub(super) fn list(&self, at: &str) -> Option<&'a Words> {
        self.contract.words.iter().find(|words| super::written(&words.at) == at)
    }

    /// A word of a closed list: allowed to this holder here, and of a meaning that he may speak of.
    pub(super) fn hold(&self, word: &str, list: Option<&Words>, at: &str) -> Result<(), Unproved> {
        if list.is_some_and(|list| !list.allows(word, self.bpo)) {
            return Err(Unproved::at(at, "a word that this asker may not use here"));
        }
        let mut known = false;
        for kind in self.model.dimensions(word) {
            known = true;
            match kind {
                Dimension::Hidden => return Err(Unproved::at(at, "a hidden dimension")),
                Dimension::Access(_) if list.is_none() => {
                    return Err(Unproved::at(at, "an access dimension where the operation lists no words"));
                }
                Dimension::Plain | Dimension::Masked if self.hides(word, kind) => {
                    return Err(Unproved::at(at, "a masked dimension"));
                }
                Dimension::Access(_) | Dimension::Plain | Dimension::Masked => {}
            }
        }
        if list.is_some_and(|list| list.groups) && !known {
            return Err(Unproved::at(at, "groups by something that no filter of this body knows"));
        }
        Ok(())
    }
}
