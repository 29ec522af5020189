//! The compiled organisation: one immutable, versioned snapshot of the directory.
//!
//! `directory::compile` is its only maker. Everything here is dense, sorted and indexed; requests only read it.

use super::{
    entitlement::{Action, Window},
    finding::Finding,
    set::{Dim, Ix, Set},
};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};

pub type RegionIx = Ix<Region>;
pub type DivisionIx = Ix<Division>;
pub type QueueIx = Ix<Queue>;
pub type UserIx = Ix<User>;
pub type GroupIx = Ix<Group>;
pub type RoleIx = Ix<Role>;
pub type ViewIx = Ix<View>;
pub type ServiceIx = Ix<ServiceAccount>;

#[derive(Debug, Clone, Default)]
pub struct Org {
    /// Digest of the source text; it stands in every decision record.
    pub version: Box<str>,
    pub taken_at: Timestamp,
    pub regions: Vec<Region>,
    pub divisions: Vec<Division>,
    pub queues: Vec<Queue>,
    pub users: Vec<User>,
    pub groups: Vec<Group>,
    pub roles: Vec<Role>,
    pub views: Vec<View>,
    pub services: Vec<ServiceAccount>,
    pub grants: Vec<Grant>,
    pub conflicts: Vec<ConflictSet>,
    /// Owning division of flows, teams, cases and labels, by kind and id.
    pub objects: HashMap<(ObjectKind, Box<str>), DivisionIx>,
    pub index: Index,
    /// Dangerous set-ups seen while compiling.
    pub findings: Vec<Finding>,
}

/// Whole-id look-ups, byte for byte. Names are no keys, but those of roles, which tokens have.
#[derive(Debug, Clone, Default)]
pub struct Index {
    pub regions: HashMap<Box<str>, RegionIx>,
    pub divisions: HashMap<Box<str>, DivisionIx>,
    pub queues: HashMap<Box<str>, QueueIx>,
    /// Attribute -> value -> the one queue that has it; `None`: several do.
    pub attributes: HashMap<Box<str>, HashMap<Box<str>, Option<QueueIx>>>,
    pub users: HashMap<Box<str>, UserIx>,
    pub groups: HashMap<Box<str>, GroupIx>,
    pub roles: HashMap<Box<str>, RoleIx>,
    /// A role by its id or its name, as tokens say it; `None`: several are meant.
    pub named_roles: HashMap<Box<str>, Option<RoleIx>>,
    pub services: HashMap<Box<str>, ServiceIx>,
    /// OAuth client id -> service account.
    pub clients: HashMap<Box<str>, ServiceIx>,
    /// Flows, teams, cases and labels of a division.
    pub objects: HashMap<(ObjectKind, DivisionIx), Vec<Box<str>>>,
    /// The division of the label that a property marks, by the property's name.
    pub marks: HashMap<Box<str>, DivisionIx>,
    /// Grants by beneficiary.
    pub grants: HashMap<UserIx, Vec<u32>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    Flow,
    Team,
    Case,
    Label,
}

#[derive(Debug, Clone)]
pub struct Region {
    pub id: Box<str>,
    pub upstream: Box<str>,
    pub hosts: Vec<Box<str>>,
}

#[derive(Debug, Clone)]
pub struct Division {
    pub id: Box<str>,
    pub name: Box<str>,
    pub parent: Option<DivisionIx>,
    pub region: RegionIx,
    /// Has no children. Only leaves carry data.
    pub leaf: bool,
    pub shared: bool,
    pub home: bool,
    /// Every queue of this very division, in any state.
    pub queues: Set<QueueIx>,
    /// Every user of this very division.
    pub users: Set<UserIx>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueueState {
    Active,
    Archived,
    Deleted,
}

#[derive(Debug, Clone)]
pub struct Queue {
    pub id: Box<str>,
    pub name: Box<str>,
    pub division: DivisionIx,
    pub region: RegionIx,
    pub state: QueueState,
    pub moved: bool,
    pub restricted: bool,
    /// Users named one by one.
    pub named: Set<UserIx>,
    /// Every member: named, or through a member group.
    pub members: Set<UserIx>,
    pub owners: Set<UserIx>,
    pub read: Read,
    pub attributes: Vec<(Box<str>, Box<str>)>,
}

/// Who may read a queue under lines of business, already resolved over folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// No lines of business in this directory, or an unlisted queue under `defaultRead = open`.
    Open,
    /// No list reaches it, or the list that decides is empty.
    Closed,
    /// The one list that decides.
    Groups(Set<GroupIx>),
}

#[derive(Debug, Clone)]
pub struct User {
    pub id: Box<str>,
    pub person: Box<str>,
    pub name: Box<str>,
    pub email: Option<Box<str>>,
    pub division: DivisionIx,
    pub region: RegionIx,
    pub active: bool,
    pub moved: bool,
    pub manager: Option<UserIx>,
    pub groups: Set<GroupIx>,
    /// The flag, or a mark that is read as the flag.
    pub bpo: bool,
    pub licence: Option<Box<str>>,
    /// Queues that name this user one by one.
    pub named_queues: Set<QueueIx>,
    /// Queues of which this user is a member in any way.
    pub queues: Set<QueueIx>,
    /// Own assignments and those of the user's groups.
    pub assignments: Vec<Assignment>,
    /// What all sections of a legacy option open together; `None`: no such option.
    pub legacy: Option<Set<QueueIx>>,
}

#[derive(Debug, Clone)]
pub struct Group {
    pub id: Box<str>,
    pub name: Box<str>,
    pub region: Option<RegionIx>,
    pub members: Set<UserIx>,
    pub managers: Set<UserIx>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    pub role: RoleIx,
    pub division: DivisionIx,
    /// The group that brings it, when the user does not hold it himself.
    pub via: Option<GroupIx>,
}

#[derive(Debug, Clone)]
pub struct Role {
    pub id: Box<str>,
    pub name: Box<str>,
    pub permissions: Vec<Permission>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Permission {
    pub name: Box<str>,
    pub scope: PermissionScope,
    /// `cross-region = "metadata"`.
    pub cross_region: bool,
}

impl Permission {
    /// Whether a permission of this name lets its holder act for somebody.
    pub fn impersonates(name: &str) -> bool {
        name.rsplit(':').next() == Some("impersonate")
    }

    /// Whether it gives one of these. `*` stands for one whole part, in roles for which the directory allows it.
    pub fn gives(&self, permissions: &BTreeSet<Box<str>>) -> bool {
        permissions.contains(&self.name) || self.name.contains('*') && permissions.iter().any(|one| self.covers(one))
    }

    /// Whether it opens all that the other does, which may hold a `*` itself.
    pub fn covers(&self, other: &str) -> bool {
        self.name.split(':').count() == other.split(':').count() && self.begins(other)
    }

    /// Whether it opens something of a domain (`analytics`) or of an entity in it (`routing:queue`).
    pub fn begins(&self, with: &str) -> bool {
        self.name.split(':').zip(with.split(':')).all(|(held, due)| held == "*" || held == due)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PermissionScope {
    Own,
    Assigned { team: bool },
    View(ViewIx),
    Groups(Set<GroupIx>),
    All,
}

#[derive(Debug, Clone)]
pub struct View {
    pub id: Box<str>,
    pub queues: Dim<QueueIx>,
    pub users: Dim<UserIx>,
}

#[derive(Debug, Clone)]
pub struct ServiceAccount {
    pub id: Box<str>,
    pub name: Box<str>,
    pub region: RegionIx,
    pub clients: Vec<Box<str>>,
    /// Access groups that list the account, for read lists.
    pub groups: Set<GroupIx>,
    pub assignments: Vec<Assignment>,
    pub acts_for_users: Set<UserIx>,
    pub acts_for_groups: Set<GroupIx>,
}

#[derive(Debug, Clone)]
pub struct Grant {
    pub id: Box<str>,
    pub beneficiary: UserIx,
    pub resources: Vec<GrantResource>,
    pub actions: Vec<Action>,
    pub data: Option<Window>,
    pub from: Timestamp,
    pub until: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantResource {
    Queue(QueueIx),
    Division(DivisionIx),
    User(UserIx),
    Group(GroupIx),
    Conversation(Box<str>),
    /// Conversations of a case, or of the labels that belong to it.
    Conversations {
        kind: ObjectKind,
        id: Box<str>,
        conversations: Vec<Box<str>>,
    },
}

#[derive(Debug, Clone)]
pub struct ConflictSet {
    pub id: Box<str>,
    pub roles: Set<RoleIx>,
}

/// Who asks: a person, or a service account with its own explicit roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    User(UserIx),
    Service(ServiceIx),
}

macro_rules! table {
    ($($name:ident: $ix:ty => $item:ty, $field:ident;)*) => {
        $(
            /// INVARIANT: an index is only ever made by the compiler of this very snapshot.
            pub fn $name(&self, ix: $ix) -> &$item {
                #[expect(clippy::indexing_slicing, reason = "dense index made together with this table")]
                &self.$field[ix.index()]
            }
        )*
    };
}

impl Org {
    table! {
        region: RegionIx => Region, regions;
        division: DivisionIx => Division, divisions;
        queue: QueueIx => Queue, queues;
        user: UserIx => User, users;
        group: GroupIx => Group, groups;
        role: RoleIx => Role, roles;
        view: ViewIx => View, views;
        service: ServiceIx => ServiceAccount, services;
    }

    /// The one queue of the organisation that has this value of an attribute. A value that several share is bound to
    /// none: its rows are of no one queue.
    pub fn bound_queue(&self, attribute: &str, value: &str) -> Option<QueueIx> {
        *self.index.attributes.get(attribute)?.get(value)?
    }

    /// The value of an attribute that names this queue and no other.
    pub fn bound_value(&self, queue: QueueIx, attribute: &str) -> Option<&str> {
        let (_, value) = self.queue(queue).attributes.iter().find(|(name, _)| **name == *attribute)?;
        (self.bound_queue(attribute, value) == Some(queue)).then_some(value)
    }

    pub fn region_of(&self, principal: Principal) -> RegionIx {
        match principal {
            Principal::User(user) => self.user(user).region,
            Principal::Service(service) => self.service(service).region,
        }
    }

    pub fn principal_id(&self, principal: Principal) -> &str {
        match principal {
            Principal::User(user) => &self.user(user).id,
            Principal::Service(service) => &self.service(service).id,
        }
    }

    pub fn assignments(&self, principal: Principal) -> &[Assignment] {
        match principal {
            Principal::User(user) => &self.user(user).assignments,
            Principal::Service(service) => &self.service(service).assignments,
        }
    }

    pub fn is_bpo(&self, principal: Principal) -> bool {
        matches!(principal, Principal::User(user) if self.user(user).bpo)
    }

    /// Whether lines of business (and a legacy option) leave this queue open to this asker.
    pub fn open_to(&self, queue: QueueIx, principal: Principal) -> bool {
        let (groups, legacy) = match principal {
            Principal::User(user) => {
                let user = self.user(user);
                (&user.groups, user.legacy.as_ref())
            }
            Principal::Service(service) => (&self.service(service).groups, None),
        };
        let listed = match &self.queue(queue).read {
            Read::Open => true,
            Read::Closed => false,
            Read::Groups(list) => list.iter().any(|group| groups.contains(group)),
        };
        listed && legacy.is_none_or(|legacy| legacy.contains(&queue))
    }

    /// Leaf divisions under (or equal to) this one, in the order of the tables.
    pub fn leaves_under(&self, division: DivisionIx) -> Vec<DivisionIx> {
        self.division_ixs().filter(|leaf| self.division(*leaf).leaf && self.is_under(*leaf, division)).collect()
    }

    pub fn is_under(&self, division: DivisionIx, ancestor: DivisionIx) -> bool {
        let mut at = Some(division);
        while let Some(here) = at {
            if here == ancestor {
                return true;
            }
            at = self.division(here).parent;
        }
        false
    }

    pub fn division_ixs(&self) -> impl Iterator<Item = DivisionIx> + use<> {
        (0..u32::try_from(self.divisions.len()).unwrap_or(u32::MAX)).map(DivisionIx::new)
    }
    pub fn queue_ixs(&self) -> impl Iterator<Item = QueueIx> + use<> {
        (0..u32::try_from(self.queues.len()).unwrap_or(u32::MAX)).map(QueueIx::new)
    }
    pub fn user_ixs(&self) -> impl Iterator<Item = UserIx> + use<> {
        (0..u32::try_from(self.users.len()).unwrap_or(u32::MAX)).map(UserIx::new)
    }
}
