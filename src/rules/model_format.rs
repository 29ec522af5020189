//! The shape of the other files: model table, permissions, role templates.

use super::{
    format::{AccessWord, DataWord, DialectWord},
    reading::{At, keys, words},
    values::{Maybe, Name},
};
use crate::model::body::Level;
use std::collections::BTreeMap;

keys! {
    /// Body models, filters and field lists of one upstream.
    ModelFile {
        model: BTreeMap<Name, Maybe<Model>>,
        filter: BTreeMap<Name, Maybe<Filter>>,
        /// Fields of an answer that may pass, level by level; the level `""` is the root.
        keep: BTreeMap<Name, BTreeMap<Name, Vec<String>>>,
    }
}

keys! {
    /// What a request body may contain. Everything is an allow-list.
    Model {
        dialect: DialectWord,
        /// What the rows are about that a query of this body counts or lists: a rule cannot say otherwise.
        data: DataWord,
        proof: At<Proof>,
        fields: BTreeMap<Name, At<FieldSpec>>,
        /// How the body differs that submits the same question as a job.
        job: Option<At<JobModel>>,
    }
}

keys! {
    /// What is not, and what is more, in the body of a job.
    JobModel {
        without: Vec<At<String>>,
        fields: BTreeMap<Name, At<FieldSpec>>,
    }
}

keys! {
    /// How outgoing bytes show that they stay inside a scope.
    Proof {
        /// The filter at this path entails the scope.
        filter: Option<At<String>>,
        /// Nothing of a search shows whose it finds: the filter here knows no owner, and every row is judged.
        rows: Option<At<String>>,
        /// The array here is not empty and each entry entails the scope.
        entries: Option<At<String>>,
        /// Beside `entries`: so does each entry of these.
        also: Vec<At<String>>,
        /// The list of queues here says which legs count; without filters.
        queues: Option<At<String>>,
        /// Beside `queues`: the list of agents.
        users: Option<At<String>>,
        /// Beside `queues`: a list of divisions, which are resolved into queues.
        divisions: Option<At<String>>,
        /// Beside `queues`: the field that says what is asked for.
        view: Option<At<String>>,
        /// Beside `queues`: the field that leaves rows without any leg out, sent as `true`.
        no_empty: Option<At<String>>,
        /// Words of `view` whose rows are told apart by agent: for these `users` means something.
        by_agent: Vec<At<String>>,
        /// For a change: the ids here, through lists as in `$.items[*].conversationId`, own what is changed.
        owners: Option<Vec<At<String>>>,
    }
}

keys! {
    /// One field of a body.
    FieldSpec {
        kind: KindWord,
        /// Must be sent.
        required: Option<bool>,
        /// Records hold `***` in its place: what a mask hides in answers, such as the number of a customer.
        masked: Option<bool>,
        min: Option<i64>,
        /// Largest number, longest text in bytes, or longest list.
        max: Option<i64>,
        words: Option<Vec<String>>,
        of: Option<Box<At<FieldSpec>>>,
        fields: BTreeMap<Name, At<FieldSpec>>,
        /// A filter of this table.
        filter: Option<At<String>>,
        access: Option<AccessWord>,
        /// `aggregations`: fields by whose values buckets are made.
        groups: Option<Vec<String>>,
        /// `aggregations`: fields of time, whose buckets are spans.
        times: Option<Vec<String>>,
        /// `aggregations`: fields that are counted, summed and averaged.
        measures: Option<Vec<String>>,
    }
}

keys! {
    /// What the predicates of a filter may say.
    Filter {
        level: LevelWord,
        /// Dimensions that carry access: every value is judged.
        access: BTreeMap<Name, AccessWord>,
        /// Dimensions whose values the directory binds to queues, and the attribute of queues that holds them.
        attributes: BTreeMap<Name, At<String>>,
        /// Dimensions that say nothing about whose leg it is.
        plain: Vec<At<String>>,
        /// Values of plain dimensions that know a closed list. They are read without case, and no others are accepted.
        words: BTreeMap<Name, Vec<String>>,
        /// Dimensions that would speak of other people or hidden legs.
        hidden: Vec<At<String>>,
        /// Mask class and its dimensions.
        masked: BTreeMap<Name, Vec<At<String>>>,
        /// Metrics that may be compared: facts of the interaction itself, or of one leg.
        metrics: Vec<String>,
        max_depth: usize,
    }
}

keys! {
    /// Why operations are denied: a name for each reason, and the reason in a sentence.
    DeniedFile {
        reason: BTreeMap<Name, At<String>>,
    }
}

words! {
    KindWord {
        Text = "text",
        Bool = "bool",
        Int = "int",
        /// Compared without case where the dialect does so.
        Enum = "enum",
        /// A length of time as ISO 8601 writes it, such as `PT30M`.
        Duration = "duration",
        /// The name of a time zone, such as `Europe/London`.
        TimeZone = "time-zone",
        Interval = "interval",
        Instant = "instant",
        Id = "id",
        /// The id of an element of the interaction that the same object names.
        Part = "part",
        List = "list",
        Object = "object",
        /// How rows are sorted, as OpenSearch writes it, by fields of `words`.
        Sort = "sort",
        /// What is asked for as `aggs` or `aggregations`.
        Aggregations = "aggregations",
        Filter = "filter",
        Filters = "filters",
    }
}
words! { LevelWord => Level { Leg = "leg", Interaction = "interaction", Attached = "attached", } }

keys! {
    /// What permissions mean here.
    PermissionFile {
        /// A permission of role templates and the permissions that it stands for.
        expand: BTreeMap<Name, Vec<At<String>>>,
        /// Mask class and the permissions that lift it.
        lift: BTreeMap<Name, Vec<At<String>>>,
        /// Permissions of role templates that open nothing here, and why.
        idle: BTreeMap<Name, At<String>>,
        /// What is done with things that somebody may see, and the permissions that let him.
        action: Option<Actions>,
        /// Permissions that open no data: on these an outsourcer keeps `all`.
        harmless: Vec<At<String>>,
        /// Permissions that count as analytics when roles conflict.
        analytics: Vec<At<String>>,
    }
}

keys! {
    /// Actions beside viewing.
    Actions {
        playback: Vec<At<String>>,
        transcript: Vec<At<String>>,
        export: Vec<At<String>>,
    }
}

keys! {
    /// Roles to start from.
    TemplateFile {
        template: Vec<Maybe<At<TemplateSpec>>>,
    }
}

keys! {
    /// One role.
    TemplateSpec {
        name: At<String>,
        description: String,
        /// Permission and the scope it is meant for.
        permissions: BTreeMap<Name, TemplateScopeWord>,
        cross_region: Option<bool>,
    }
}

words! {
    TemplateScopeWord {
        Own = "self",
        Assigned = "assigned",
        /// `assigned` with `team = true`.
        Team = "assigned-team",
        View = "view",
        Group = "group",
        All = "all",
    }
}
