//! Who and what stands below one queue, person, group, role or division, and lists that go by places: everything there is,
//! whoever asks, in the frame in which the upstream gives it.

use super::{
    condition::Lens,
    lists::{self, Params},
    organisation::{Group, Team, User},
    people,
    problem::Problem,
    store::Store,
};
use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    QueueMembers,
    QueueUsers,
    UserQueues,
    DirectReports,
    Superiors,
    Groups,
    Group,
    GroupProfile,
    GroupMembers,
    GroupIndividuals,
    RoleUsers,
    SubjectGrants,
    DivisionGrants,
    Subject,
    UserRoles,
    PresencesOf,
    QueueViews,
    AllQueueViews,
    DivisionsByPlace,
    UsersByPlace,
    SkillGroups,
    CallForwarding,
    Teams,
    Team,
    TeamMembers,
}

const PATHS: [(List, &str); 25] = [
    (List::QueueMembers, "/api/v2/routing/queues/{}/members"),
    (List::QueueUsers, "/api/v2/routing/queues/{}/users"),
    (List::UserQueues, "/api/v2/users/{}/queues"),
    (List::DirectReports, "/api/v2/users/{}/directreports"),
    (List::Superiors, "/api/v2/users/{}/superiors"),
    (List::Groups, "/api/v2/groups"),
    (List::Group, "/api/v2/groups/{}"),
    (List::GroupProfile, "/api/v2/groups/{}/profile"),
    (List::GroupMembers, "/api/v2/groups/{}/members"),
    (List::GroupIndividuals, "/api/v2/groups/{}/individuals"),
    (List::RoleUsers, "/api/v2/authorization/roles/{}/users"),
    (List::SubjectGrants, "/api/v2/authorization/roles/{}/subjectgrants"),
    (List::DivisionGrants, "/api/v2/authorization/divisions/{}/grants"),
    (List::Subject, "/api/v2/authorization/subjects/{}"),
    (List::UserRoles, "/api/v2/users/{}/roles"),
    (List::PresencesOf, "/api/v2/users/presences/{}/bulk"),
    (List::QueueViews, "/api/v2/routing/queues/divisionviews"),
    (List::AllQueueViews, "/api/v2/routing/queues/divisionviews/all"),
    (List::DivisionsByPlace, "/api/v2/authorization/divisions/query"),
    (List::UsersByPlace, "/api/v2/users/query"),
    (List::SkillGroups, "/api/v2/users/{}/skillgroups"),
    (List::CallForwarding, "/api/v2/users/{}/callforwarding"),
    (List::Teams, "/api/v2/teams"),
    (List::Team, "/api/v2/teams/{}"),
    (List::TeamMembers, "/api/v2/teams/{}/members"),
];

impl List {
    pub(super) fn of(path: &str) -> Option<(Self, &str)> {
        PATHS.into_iter().find_map(|(list, template)| {
            let Some((before, after)) = template.split_once("{}") else {
                return (path == template).then_some((list, ""));
            };
            let id = path.strip_prefix(before)?.strip_suffix(after)?;
            (!id.is_empty() && !id.contains('/')).then_some((list, id))
        })
    }
}

/// One role that somebody holds in a division.
struct Held<'a> {
    subject: &'a str,
    role: &'a str,
    division: &'a str,
}

pub(super) fn read(store: &Store, lens: Lens, list: List, id: &str, params: &Params) -> Result<Value, Problem> {
    let here = Below { store, lens, id, params };
    match list {
        List::QueueMembers => here.frame(here.members()?, Frame::Links),
        List::QueueUsers => here.frame(here.members()?, Frame::Totals),
        List::UserQueues => here.frame(here.queues()?, Frame::Totals),
        List::DirectReports => {
            here.user()?;
            Ok(Value::Array(here.users(|user| user.manager.as_deref() == Some(id))))
        }
        List::Superiors => here.superiors().map(Value::Array),
        List::Groups => {
            let named = params.list("id");
            let asked = |group: &&Group| lens.blind || named.is_empty() || named.contains(&group.id.as_str());
            let groups = store.organisation.groups.iter().filter(asked).map(|group| here.group(group));
            here.frame(groups.collect(), Frame::Totals)
        }
        List::Group => Ok(here.group(here.found_group()?)),
        List::GroupProfile => {
            let group = here.found_group()?;
            Ok(json!({ "id": group.id, "name": group.name, "state": "active", "version": 1, "createdBy": "carl" }))
        }
        List::GroupMembers => here.frame(here.of_group()?, Frame::Totals),
        List::GroupIndividuals => {
            let all = here.of_group()?;
            let count = all.len();
            Ok(
                json!({ "entities": all, "pageSize": count, "pageNumber": 1, "total": count, "pageCount": 1, "selfUri": "/x" }),
            )
        }
        List::RoleUsers => {
            here.role()?;
            let all = here.users(|user| held(user).iter().any(|held| held.role == id));
            let bare = |user: &Value| json!({ "id": user["id"], "selfUri": user["selfUri"] });
            here.frame(all.iter().map(bare).collect(), Frame::Totals)
        }
        List::SubjectGrants => {
            here.role()?;
            here.frame(here.subjects(), Frame::Totals)
        }
        List::DivisionGrants => {
            let known = store.organisation.divisions.iter().any(|division| division.id == id);
            let grants = here.everybody().flat_map(held).filter(|held| lens.blind || held.division == id);
            let grants = grants.map(|held| here.grant(&held)).collect();
            if known { here.frame(grants, Frame::Totals) } else { Err(Problem::not_found()) }
        }
        List::Subject => {
            let user = here.user()?;
            let grants: Vec<Value> = held(user).iter().map(|held| here.grant(held)).collect();
            Ok(json!({ "id": id, "name": user.shown(), "grants": grants, "version": 1, "selfUri": "/x" }))
        }
        List::UserRoles => {
            let held = held(here.user()?);
            let roles: Vec<Value> =
                held.iter().map(|held| json!({ "id": held.role, "name": here.role_name(held.role) })).collect();
            Ok(json!({ "roles": roles, "unusedRoles": [], "permissionPolicies": [{ "policyDescription": "carl" }] }))
        }
        List::PresencesOf => here.presences(),
        List::QueueViews => lists::queues(store, lens, params),
        List::AllQueueViews => here.frame(here.all_queues(|_| true), Frame::Totals),
        List::DivisionsByPlace => {
            let named = params.list("id");
            let all =
                store.organisation.divisions.iter().filter(|one| named.is_empty() || named.contains(&one.id.as_str()));
            let all = all.map(|one| json!({ "id": one.id, "name": one.name, "homeDivision": one.home, "objectCounts": { "QUEUE": 7 } }));
            here.frame(all.collect(), Frame::Places("after"))
        }
        List::UsersByPlace => here.frame(here.users(|user| user.active), Frame::Cursor),
        List::CallForwarding => {
            let user = json!({ "id": id, "name": here.user()?.shown() });
            Ok(
                json!({ "id": id, "user": user, "enabled": true, "phoneNumber": "+15550100", "calls": [{ "targets": [{ "type": "USER", "value": "carl" }] }] }),
            )
        }
        List::Teams => {
            let wanted = params.first("name").unwrap_or_default().to_lowercase();
            let fits = |team: &&Team| lens.blind || team.name.to_lowercase().starts_with(&wanted);
            here.frame(store.organisation.teams.iter().filter(fits).map(team).collect(), Frame::Places("after"))
        }
        List::Team => here.found_team().map(team),
        List::TeamMembers => {
            let members = &here.found_team()?.members;
            let users = here.everybody().filter(|user| lens.blind || members.contains(&user.id));
            let rows = users.map(|user| json!({ "id": user.id, "name": user.shown(), "selfUri": "/x" }));
            here.frame(rows.collect(), Frame::Places("after"))
        }
        List::SkillGroups => {
            let user = here.user()?;
            let groups = store.organisation.divisions.iter().filter(|one| one.region == user.region).map(|one| {
                json!({
                    "id": format!("sg-{}", one.id), "name": format!("Skilled in {}", one.name), "memberCount": 9,
                    "division": { "id": one.id, "name": one.name }, "skillConditions": [{ "routingSkill": "care" }],
                })
            });
            here.frame(groups.collect(), Frame::Places("after"))
        }
    }
}

/// A team as lists, reads and searches show it.
pub(super) fn team(team: &Team) -> Value {
    json!({
        "id": team.id, "name": team.name, "description": format!("People of {}", team.name), "memberCount": team.members.len(),
        "division": { "id": team.division, "name": team.division, "selfUri": "/x" }, "selfUri": format!("/api/v2/teams/{}", team.id),
    })
}

fn put(answer: &mut Value, name: &str, value: Value) {
    if let Some(members) = answer.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// How a list says where it goes on.
#[derive(Debug, Clone, Copy)]
enum Frame {
    Totals,
    /// By links alone.
    Links,
    /// By a link with a place.
    Places(&'static str),
    /// By a field with the place.
    Cursor,
}

struct Below<'a> {
    store: &'a Store,
    lens: Lens,
    id: &'a str,
    params: &'a Params,
}

impl<'a> Below<'a> {
    fn frame(&self, rows: Vec<Value>, frame: Frame) -> Result<Value, Problem> {
        let total = rows.len();
        let (Frame::Totals | Frame::Links) = &frame else {
            return self.by_place(rows, &frame);
        };
        let most = if matches!(frame, Frame::Links) { 100 } else { 500 };
        let size = self.params.number("pageSize", 25, most)?;
        let number = self.params.number("pageNumber", 1, 1_000_000)?;
        let skip = (number - 1).saturating_mul(size);
        let mut answer =
            json!({ "pageSize": size, "pageNumber": number, "selfUri": format!("/self?pageNumber={number}") });
        put(&mut answer, "entities", rows.into_iter().skip(skip).take(size).collect::<Value>());
        if matches!(frame, Frame::Totals) {
            put(&mut answer, "total", json!(total));
            put(&mut answer, "pageCount", json!(total.div_ceil(size)));
        }
        if skip + size < total {
            put(&mut answer, "nextUri", json!(format!("/next?pageNumber={}", number + 1)));
        }
        Ok(answer)
    }

    fn by_place(&self, rows: Vec<Value>, frame: &Frame) -> Result<Value, Problem> {
        let size = self.params.number("pageSize", 25, 200)?;
        let param = if let Frame::Places(param) = frame { param } else { "cursor" };
        let skip = match self.params.first(param) {
            None => 0,
            // only what was handed out is a place
            Some(place) => place
                .strip_prefix("place+")
                .and_then(|place| place.parse().ok())
                .ok_or_else(|| Problem::value("no such place"))?,
        };
        let total = rows.len();
        let mut answer =
            json!({ "entities": rows.into_iter().skip(skip).take(size).collect::<Vec<_>>(), "selfUri": "/self" });
        let behind = skip + size;
        if behind < total {
            match frame {
                Frame::Cursor => put(&mut answer, "cursor", json!(format!("place+{behind}"))),
                _ => put(&mut answer, "nextUri", json!(format!("/next?pageSize={size}&{param}=place%2B{behind}"))),
            }
        }
        Ok(answer)
    }

    fn everybody(&self) -> impl Iterator<Item = &'a User> + use<'a> {
        self.store.organisation.users.iter()
    }

    fn user(&self) -> Result<&'a User, Problem> {
        self.everybody().find(|user| user.id == self.id).ok_or_else(Problem::not_found)
    }

    fn shown(&self, user: &User) -> Value {
        let found = lists::users(self.store, self.lens, &Params::id(&user.id).and("state", "any"));
        let found = if self.lens.blind { None } else { found.and_then(lists::only).ok() };
        let manager = json!({ "id": user.manager, "name": "the manager" });
        let mut shown = found.unwrap_or_else(|| {
            json!({ "id": user.id, "name": user.shown(), "division": { "id": user.division }, "selfUri": format!("/api/v2/users/{}", user.id) })
        });
        put(&mut shown, "manager", manager);
        shown
    }

    fn users(&self, is: impl Fn(&User) -> bool) -> Vec<Value> {
        self.everybody().filter(|user| self.lens.blind || is(user)).map(|user| self.shown(user)).collect()
    }

    fn superiors(&self) -> Result<Vec<Value>, Problem> {
        let mut above = Vec::new();
        let mut at = self.user()?;
        while let Some(manager) = at.manager.as_deref().and_then(|id| self.everybody().find(|user| user.id == id)) {
            if above.len() > 20 {
                break;
            }
            above.push(self.shown(manager));
            at = manager;
        }
        Ok(above)
    }

    fn members(&self) -> Result<Vec<Value>, Problem> {
        let members = self.store.organisation.members();
        let ids = members.get(self.id).ok_or_else(Problem::not_found)?;
        let named = self.params.first("name").map(str::to_lowercase);
        let fits = |user: &&User| {
            let is_named = named.as_ref().is_none_or(|named| user.shown().to_lowercase().contains(named));
            let joined = self.params.first("joined") != Some("false");
            self.lens.blind || ids.contains(&user.id.as_str()) && joined && is_named
        };
        let row = |user: &User| {
            json!({
                "id": user.id, "name": user.shown(), "user": self.shown(user), "ringNumber": 1, "joined": true,
                "memberBy": "user", "routingStatus": { "userId": user.id, "status": "IDLE" },
            })
        };
        Ok(self.everybody().filter(fits).map(row).collect())
    }

    fn all_queues(&self, is: impl Fn(&str) -> bool) -> Vec<Value> {
        let alive = self.store.organisation.queues.iter().filter(|queue| queue.state() != "deleted" && is(&queue.id));
        let divisions = self.params.list("divisionId");
        let here = alive.filter(|queue| divisions.is_empty() || divisions.contains(&queue.division.as_str()));
        here.map(|queue| {
            json!({
                "id": queue.id, "name": queue.name, "division": { "id": queue.division, "name": queue.division },
                "memberCount": 40, "joined": true, "modifiedBy": "carl", "selfUri": format!("/api/v2/routing/queues/{}", queue.id),
            })
        })
        .collect()
    }

    fn queues(&self) -> Result<Vec<Value>, Problem> {
        self.user()?;
        let members = self.store.organisation.members();
        let is = |queue: &str| self.lens.blind || members.get(queue).is_some_and(|members| members.contains(&self.id));
        Ok(self.all_queues(is))
    }

    fn found_team(&self) -> Result<&'a Team, Problem> {
        let found = self.store.organisation.teams.iter().find(|team| team.id == self.id);
        found.ok_or_else(Problem::not_found)
    }

    fn found_group(&self) -> Result<&'a Group, Problem> {
        self.store.organisation.groups.iter().find(|group| group.id == self.id).ok_or_else(Problem::not_found)
    }

    fn group(&self, group: &Group) -> Value {
        json!({
            "id": group.id, "name": group.name, "state": "active", "type": "official", "version": 1, "visibility": "public",
            "memberCount": self.in_group(&group.id).count(), "owners": [{ "id": "carl", "name": "Carl" }],
            "selfUri": format!("/api/v2/groups/{}", group.id),
        })
    }

    fn in_group(&self, id: &str) -> impl Iterator<Item = &'a User> {
        let listed = self.store.organisation.groups.iter().find(|group| group.id == id);
        self.everybody().filter(move |user| {
            listed.is_some_and(|group| group.members.contains(&user.id) || user.groups.contains(&group.id))
        })
    }

    fn of_group(&self) -> Result<Vec<Value>, Problem> {
        let group = self.found_group()?;
        let inside: Vec<&str> = self.in_group(&group.id).map(|user| user.id.as_str()).collect();
        Ok(self.users(|user| inside.contains(&user.id.as_str())))
    }

    fn role_name(&self, id: &str) -> Option<&'a str> {
        self.store.organisation.roles.iter().find(|role| role.id == id).map(|role| role.name.as_str())
    }

    fn role(&self) -> Result<(), Problem> {
        self.role_name(self.id).map(|_| ()).ok_or_else(Problem::not_found)
    }

    fn grant(&self, held: &Held<'_>) -> Value {
        let division = self.store.organisation.divisions.iter().find(|division| division.id == held.division);
        json!({
            "subjectId": held.subject, "division": { "id": held.division, "name": division.map(|division| &division.name) },
            "role": { "id": held.role, "name": self.role_name(held.role), "policies": [{ "domain": "analytics" }] },
            "grantMadeAt": "2026-01-01T00:00:00.000Z",
        })
    }

    fn subjects(&self) -> Vec<Value> {
        let holds = |user: &&User| self.lens.blind || held(user).iter().any(|held| held.role == self.id);
        let people = self.everybody().filter(holds).map(|user| {
            let divisions: Vec<_> = user.roles.iter().map(|(_, division)| json!({ "id": division })).collect();
            json!({ "id": user.id, "name": user.shown(), "type": "PC_USER", "divisions": divisions })
        });
        let groups = self
            .store
            .organisation
            .groups
            .iter()
            .map(|group| json!({ "id": group.id, "name": group.name, "type": "PC_GROUP" }));
        people.chain(groups).collect()
    }

    fn presences(&self) -> Result<Value, Problem> {
        let ids = self.params.list("id");
        let asked = self.everybody().filter(|user| self.lens.blind || ids.contains(&user.id.as_str()));
        let rows = asked.map(|user| {
            let mut row = people::read(self.store, people::Part::Presence, &user.id)?;
            put(&mut row, "userId", json!(user.id));
            Ok(row)
        });
        rows.collect::<Result<_, Problem>>().map(Value::Array)
    }
}

/// What somebody holds himself.
fn held(user: &User) -> Vec<Held<'_>> {
    user.roles.iter().map(|(role, division)| Held { subject: &user.id, role, division }).collect()
}
