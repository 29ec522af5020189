//! What the upstream would say of its caller: of the credential that this proxy uses. The directory says it of the asker.

use super::{Asking, Outcome, list};
use crate::{
    model::{
        operation::Caller,
        org::{Assignment, DivisionIx, PermissionScope, Principal, QueueState, UserIx},
        refusal::{Code, Refusal},
    },
    policy::{guard::PageInfo, local},
    query::json::Value,
};
use std::collections::BTreeSet;

/// Parameters of a page, in all these lists.
const NUMBER: &str = "pageNumber";
const SIZE: &str = "pageSize";
const DEFAULT_SIZE: i64 = 25;

pub(super) fn narrow(asking: &Asking<'_>, caller: Caller) -> Result<Outcome, Refusal> {
    let me = match asking.scope.holder {
        Principal::User(me) => me,
        Principal::Service(_) => {
            return Err(Refusal::new(
                Code::NotAUser,
                "this describes the person who asks, and a service account is none; ask for a person by his id",
            ));
        }
    };
    let about = About { asking, me };
    match caller {
        Caller::User => Ok(Outcome::Local(local::known(asking.operation, about.user()))),
        Caller::Grants => Ok(Outcome::Local(local::known(asking.operation, about.subject()))),
        Caller::Queues => about.page(about.queues()),
        Caller::Divisions => about.page(about.divisions()?),
    }
}

struct About<'a> {
    asking: &'a Asking<'a>,
    me: UserIx,
}

impl About<'_> {
    fn user(&self) -> Value {
        let org = self.asking.org;
        let user = org.user(self.me);
        let email = user.email.as_deref().map_or(Value::Null, Value::text);
        Value::object([
            ("id", Value::text(&*user.id)),
            ("name", Value::text(&*user.name)),
            ("division", self.division(user.division)),
            ("email", email.clone()),
            ("username", email),
            ("state", Value::text("active")),
        ])
    }

    fn division(&self, ix: DivisionIx) -> Value {
        let division = self.asking.org.division(ix);
        Value::object([("id", Value::text(&*division.id)), ("name", Value::text(&*division.name))])
    }

    /// His roles, as far as they count now.
    fn held(&self) -> impl Iterator<Item = &Assignment> {
        self.asking.world.held(Principal::User(self.me)).assignments()
    }

    /// His own roles, and those of his groups.
    fn subject(&self) -> Value {
        let org = self.asking.org;
        let user = org.user(self.me);
        let grant = |held: &Assignment| {
            let role = org.role(held.role);
            Value::object([
                ("subjectId", Value::text(held.via.map_or(&*user.id, |group| &*org.group(group).id))),
                ("division", self.division(held.division)),
                ("role", Value::object([("id", Value::text(&*role.id)), ("name", Value::text(&*role.name))])),
            ])
        };
        Value::object([
            ("id", Value::text(&*user.id)),
            ("name", Value::text(&*user.name)),
            ("grants", Value::array(self.held().map(grant))),
        ])
    }

    /// The queues of which he is a member, as far as he may see queues.
    fn queues(&self) -> Vec<Value> {
        let org = self.asking.org;
        let visible = self.asking.whole_extent().queues();
        let mine = org.user(self.me).queues.iter().filter(|ix| visible.contains(ix)).map(|ix| org.queue(*ix));
        let mut mine: Vec<_> = mine.filter(|queue| queue.state == QueueState::Active).collect();
        mine.sort_by_key(|queue| (&queue.name, &queue.id));
        let row = |queue: &crate::model::org::Queue| {
            Value::object([
                ("id", Value::text(&*queue.id)),
                ("name", Value::text(&*queue.name)),
                ("division", self.division(queue.division)),
            ])
        };
        mine.into_iter().map(row).collect()
    }

    /// The leaf divisions in which a role of his carries the asked permission, or one that stands for it.
    fn divisions(&self) -> Result<Vec<Value>, Refusal> {
        let (org, rules) = (self.asking.org, &self.asking.world.rules);
        let asked = list::value(self.asking, "permission").ok_or_else(|| {
            Refusal::new(Code::QueryMalformed, "say for which permission, by the parameter `permission`")
        })?;
        let mut opening: BTreeSet<Box<str>> = BTreeSet::from([asked.into()]);
        let same = rules.operations.iter().filter(|operation| *operation.permission == *asked);
        opening.extend(same.flat_map(|operation| operation.opened_by.iter().cloned()));
        let bpo = org.is_bpo(self.asking.scope.holder);
        let opens = |held: &&Assignment| {
            let division = org.division(held.division);
            let mut gives = org.role(held.role).permissions.iter().filter(|permission| permission.gives(&opening));
            let counts = |scope: &PermissionScope, name: &str| {
                !bpo || *scope != PermissionScope::All || rules.harmless.contains(name)
            };
            division.leaf
                && division.region == self.asking.scope.region
                && gives.any(|permission| counts(&permission.scope, &permission.name))
        };
        let found: BTreeSet<DivisionIx> = self.held().filter(opens).map(|held| held.division).collect();
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_by_key(|ix| (&org.division(*ix).name, &org.division(*ix).id));
        let home = |ix: DivisionIx| Value::Bool(org.division(ix).home);
        let shown = |ix: DivisionIx| {
            let mut shown = self.division(ix);
            shown.set("homeDivision", home(ix));
            shown
        };
        Ok(found.into_iter().map(shown).collect())
    }

    fn page(&self, rows: Vec<Value>) -> Result<Outcome, Refusal> {
        let asking = self.asking;
        let total = rows.len();
        let positive = |number: i64| usize::try_from(number).ok().filter(|number| *number > 0);
        let refused = || Refusal::new(Code::QueryMalformed, "page number and size start at 1");
        let listed = asking.operation.contract.params.iter().any(|param| *param.name == *SIZE);
        let (number, size) = if listed {
            let number = positive(list::int(asking, NUMBER, 1)?).ok_or_else(refused)?;
            (number, positive(list::int(asking, SIZE, DEFAULT_SIZE)?).ok_or_else(refused)?)
        } else {
            (1, total.max(1))
        };
        let info = PageInfo { number, size, total };
        let rows = rows.into_iter().skip(info.skip()).take(info.take()).collect();
        Ok(Outcome::Local(local::known_page(asking.operation, info, rows)?))
    }
}
