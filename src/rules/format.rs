//! The shape of a rule file, key by key. What the keys mean together is decided in `operation`.

use super::{
    reading::{At, keys, words},
    values::{Instant, Json, Maybe, Name, OneOrMany},
};
use crate::model::{
    answer::Shape,
    assumption::Assumption,
    body::Dialect,
    contract::{Data, Reach},
    definition::DefinitionStep,
    entitlement::Action,
    operation::{Audience, BpoExports, Caller, Class, EmptyScope, Outside, Outsourcers, StaticDead, Strength},
    schedule::ScheduleStep,
};
use std::collections::BTreeMap;

keys! {
    /// A file that says how operations of an upstream are governed.
    RuleFile {
        /// The organisation and the instant for the tests of this file; never the live directory.
        fixture: Option<Maybe<At<Fixture>>>,
        /// What rules of this file share; a key of the rule itself wins.
        family: BTreeMap<Name, Maybe<Shared>>,
        /// One operation each.
        rule: Vec<Maybe<At<Rule>>>,
    }
}

keys! {
    /// What the tests of a file run against.
    Fixture {
        /// A directory file, relative to this file.
        directory: At<String>,
        now: Instant,
    }
}

keys! {
    /// One operation of the upstream.
    Rule {
        /// Unique over all files; it stands in records and metrics.
        id: At<String>,
        /// Method and path template, such as `GET /api/v2/conversations/{conversationId}`.
        r#match: At<String>,
        /// A family of this file.
        family: Option<At<String>>,
        /// The same question as a job: submitted here, answered later.
        job: Option<At<Job>>,
        /// The question can be kept here, with its placeholders, and run by whoever may see it, each by his own rights.
        saved: Option<At<Saved>>,
        /// The same search asked for by a link.
        link: Option<At<Link>>,
        /// What is answered is not this read, but the beginning of a recording that another rule reads.
        preview: Option<At<Preview>>,
        /// Who audits metadata may ask it of another region, which he names in the header `bailiwick-region`.
        cross_region: Option<At<CrossRegion>>,
        /// What an `export` that names interactions has made is fetched by its id.
        fetch: Option<At<Fetch>>,
        /// Examples that run at each load.
        test: Vec<At<Test>>,
        .. shared: Shared,
    }
}

keys! {
    /// What a rule says itself, or takes from its family.
    #[derive(Default)]
    Shared {
        class: Option<ClassWord>,
        /// The language of the body's filters.
        dialect: Option<At<DialectWord>>,
        /// Which column of the scope table applies.
        data: Option<At<DataWord>>,
        /// The permission that opens the operation.
        permission: Option<At<String>>,
        /// Permissions of which one is enough.
        any: Option<Vec<At<String>>>,
        /// Permissions that are all needed: what each of them shows, and the others too.
        all: Option<Vec<At<String>>>,
        /// What is done with a leg; `view` unless said.
        action: Option<ActionWord>,
        /// A body model of the shipped table.
        body: Option<At<String>>,
        /// Assumptions about the upstream on which this rule rests.
        needs: Option<Vec<At<AssumptionWord>>>,
        audience: Option<AudienceWord>,
        /// How an internal report keeps outsourcers out; `count` unless said.
        outsourcers: Option<At<OutsourcersWord>>,
        /// What happens to a value the asker names and may not see.
        outside: Option<OutsideWord>,
        /// What happens to an archived or deleted queue of the asker's own scope in a literal list.
        r#static: Option<StaticWord>,
        /// What an asker without any entitlement gets.
        empty_scope: Option<EmptyScopeWord>,
        /// Whether dead queues count for entitlements that list queues.
        archived: Option<ArchivedWord>,
        /// The one compulsory place for a division.
        division_slot: Option<At<String>>,
        max_clauses: Option<usize>,
        max_predicates: Option<usize>,
        /// Largest number of values of one access dimension.
        max_values: Option<usize>,
        narrow: Option<Vec<At<Narrow>>>,
        time: Option<Time>,
        sort: Option<AllowedWords>,
        group_by: Option<AllowedWords>,
        metrics: Option<Metrics>,
        /// A question about more people than `max-values` is asked in parts.
        split: Option<At<Split>>,
        refuse: Option<Vec<Refuse>>,
        answer: Option<At<Answer>>,
        /// Query parameters; an unlisted one is refused.
        params: Option<BTreeMap<Name, At<Param>>>,
        page: Option<At<Page>>,
        /// Id of the rule that reads what stands above in the path of a list: only who may read that sees rows below.
        below: Option<At<String>>,
        /// What is asked about the asker himself: answered from the directory, nothing is sent.
        caller: Option<CallerWord>,
        /// What is read is a part of one interaction and shows no legs: another rule shows them.
        part: Option<At<Part>>,
        /// The list shows the asker's own exports, of all that the upstream has.
        own: Option<At<Own>>,
        /// Whether outsourcers may have files made; `refuse` unless said.
        bpo: Option<At<BpoWord>>,
        /// A change, or each row of a list, names interactions: another rule shows whose they are.
        look: Option<At<Look>>,
    }
}

keys! {
    /// How a part of an interaction is tied to its legs: they are looked at before the part is asked for.
    Part {
        /// Id of the rule that reads one interaction.
        of: At<String>,
        /// Path ids that name an element of the interaction, each with its place there, such as
        /// `$.participants[*].participantId`. Without any the whole interaction has to be visible.
        named: BTreeMap<Name, At<String>>,
    }
}

keys! {
    /// How a list of everybody's exports becomes that of the asker's own.
    Own {
        /// Id of the rule that asks for an export.
        of: At<String>,
        /// The field of a row with the export's id.
        id: At<String>,
        /// The field of a row with the link to the file: it passes while what was sent for it is inside the scope of now.
        link: At<String>,
        /// The parameter with the number of the page.
        number: At<String>,
        /// The parameter with its size.
        size: At<String>,
        default_size: i64,
        /// How many of everybody's exports are read at once.
        at_once: At<i64>,
    }
}

keys! {
    /// What is looked at before a change of class `write`, or an `export` that is fetched by its id, is asked for: every
    /// interaction that it names, to its last leg. In a `list` of interaction data, what is looked at before its rows are
    /// shown: the interaction that each is of.
    Look {
        /// Id of the rule that reads several interactions by their ids.
        of: At<String>,
        /// Where the ids of elements stand that fields of kind `part` name, such as `$.participants[*].sessions[*].sessionId`.
        part: Option<At<String>>,
    }
}

keys! {
    /// The first seconds of a recording, for who may have no more of it. The path is this proxy's own: the upstream is
    /// asked for the recording, and its file is fetched and cut here.
    Preview {
        /// Id of the rule that reads the recording.
        of: At<String>,
        /// How much passes; 15 unless said.
        seconds: Option<At<i64>>,
        /// Parameters with which the recording is asked for, such as `formatId = "WAV"`.
        asks: BTreeMap<Name, At<String>>,
    }
}

keys! {
    /// A part of an interaction, asked of another region: by the permission of an audit that the organisation gave
    /// `crossRegion`, by no grant, and without any link.
    CrossRegion {
        permission: At<String>,
        /// What passes of the answer: no more than the rule itself shows.
        keep: At<String>,
    }
}

keys! {
    /// Where the files are named that an `export` had made of interactions, each by a link. The rule's own `answer` is that of
    /// the fetch; of the export itself nothing passes but the id.
    Fetch {
        /// Method and path, which ends in the id.
        r#match: At<String>,
        /// The field of the export's answer that holds the id.
        id: At<String>,
    }
}

keys! {
    /// The upstream's way to ask the rule's question as a job. It gives four operations: submit, status, results, cancel.
    Job {
        /// Method and path that submit it; the job is `/{jobId}` below, its results `/{jobId}/results`.
        r#match: At<String>,
        /// The field of the answer that holds the new job's id.
        id: At<String>,
        /// The field of results, and the parameter, that say where they go on.
        cursor: At<String>,
        /// A list of fields of the shipped table: what passes of how far a job is.
        status: At<String>,
        /// Fields of results that pass beside those of the rule's own answer.
        keep: Vec<At<String>>,
        /// How far rows of a job may lie outside the asked interval; the rule's own unless said.
        reach: Option<At<ReachWord>>,
        /// Further query parameters of results.
        params: BTreeMap<Name, At<Param>>,
    }
}

keys! {
    /// Questions that are kept by this proxy, under a path of its own. It gives six operations: list, save, read, change,
    /// remove, run.
    Saved {
        /// Method and path that save one; it is `/{id}` below, and run by a `POST` of `/{id}/run`.
        r#match: At<String>,
        /// The name of the id in the path.
        id: At<String>,
        /// The permission to keep and change them, in the division that owns them.
        edit: At<String>,
        /// Method and path of the list of what the asker asked himself.
        executions: Option<At<String>>,
        /// Whether a parent division may hold shared ones, for whoever may view in a division below it.
        parent: Option<ParentWord>,
        /// Kept questions that are asked at set times.
        schedules: Option<At<Schedules>>,
    }
}

keys! {
    /// Schedules of kept questions, under a path of their own: list, save, read, change, remove, and below each its runs and
    /// their answers.
    Schedules {
        /// Method and path that set one up; it is `/{id}` below, its runs are `/{id}/runs`.
        r#match: At<String>,
        /// The name of the id in the path.
        id: At<String>,
        /// Id of the rule that reads one person: whoever may be read by it may be named as a recipient.
        recipient: At<String>,
        /// Whether outsourcers may set one up and receive it.
        bpo: Option<At<BpoWord>>,
    }
}

keys! {
    /// A definition that is there in a test.
    SavedThere {
        /// Id of a user or of a service account.
        owner: At<String>,
        division: At<String>,
        shared: Option<bool>,
        definition: Json,
    }
}

keys! {
    /// A schedule that is there in a test.
    ScheduledThere {
        /// Id of a user or of a service account, who sets it up with the rights that he has in the test.
        owner: At<String>,
        /// Id of a definition that is there.
        definition: At<String>,
        /// Ids of users who receive it.
        recipients: Vec<At<String>>,
        /// What a run for the asker, of the id `run`, was answered.
        answered: Option<Json>,
    }
}

keys! {
    /// The upstream's way to ask for a search by a link: its body in one parameter, as base64. It is read here and sent as
    /// the rule's own question.
    Link {
        /// Method and path, such as `GET /api/v2/users/search`.
        r#match: At<String>,
        /// The parameter that holds the body.
        param: At<String>,
    }
}

keys! {
    /// A place, or places, in the body where the scope is written.
    Narrow {
        /// Definite path; made when missing.
        at: OneOrMany<At<String>>,
        /// Kinds of access that can be written here, with the dimension that says each.
        carry: Vec<At<Carry>>,
        /// Arrays: whether the scope makes an entry of its own when the asker sent none.
        entry: Option<At<EntryWord>>,
        /// Arrays: what happens inside the entries that the asker sent.
        asked: Option<AskedWord>,
        strength: Option<StrengthWord>,
        /// Plain dimensions that this rule hides. A rule can hide more, never less.
        hidden: Vec<At<String>>,
    }
}

keys! {
    /// One kind of access and its dimension.
    #[derive(Default)]
    Carry {
        queue: Option<At<String>>,
        user: Option<At<String>>,
        division: Option<At<String>>,
        region: Option<At<String>>,
        conversation: Option<At<String>>,
        flow: Option<At<String>>,
        team: Option<At<String>>,
        group: Option<At<String>>,
    }
}

keys! {
    /// The clock of the question.
    Time {
        /// One interval, or the paths of its two ends.
        at: OneOrMany<At<String>>,
        /// How far rows may lie outside the asked interval.
        reach: At<ReachWord>,
        /// Longest interval, such as `P31D`.
        max: Option<At<String>>,
    }
}

keys! {
    /// An allow-list for a field of the body.
    AllowedWords {
        at: At<String>,
        allow: Vec<At<String>>,
        /// A narrower list for outsourcers.
        bpo_allow: Option<Vec<At<String>>>,
        /// Raw identifiers, refused as too many rows.
        high_cardinality: Vec<At<String>>,
    }
}

keys! {
    /// What metrics cannot say.
    Metrics {
        at: At<String>,
        lacks: Option<Lacks>,
        /// A narrower list for outsourcers.
        bpo_allow: Option<Vec<At<String>>>,
    }
}

keys! {
    /// Metrics that a predicate on a kind of access removes.
    Lacks {
        queue: Vec<At<String>>,
        user: Vec<At<String>>,
        division: Vec<At<String>>,
    }
}

keys! {
    /// A refusal of its own. It may only subtract.
    Refuse {
        /// A definite path compared with a literal, such as `$.paging.pageSize > 100`, or a `JSONPath` (RFC 9535) that
        /// finds what is refused, such as `$.metrics[?@ == 'tTalk']`.
        when: At<String>,
        code: At<String>,
        message: At<String>,
    }
}

keys! {
    /// The answer's shape.
    Answer {
        shape: ShapeWord,
        /// Path of the rows; not for a single object.
        rows: Option<At<String>>,
        /// Fields of a row that say whose it is.
        keys: BTreeMap<Name, At<AccessWord>>,
        leg: Option<At<Leg>>,
        /// Interactions: legs of others are cut, or stay without their owner. Default `cut`.
        foreign: Option<At<ForeignWord>>,
        /// `pseudonym`: the list of fields that stay of a leg of others. Only words about its kind may be listed; its agent gets
        /// a pseudonym that means nothing outside the one answer.
        foreign_keep: Option<At<String>>,
        /// `documents`: the field of the body that lists which fields come back, such as `$._source`; a row holds them in an
        /// object of that name.
        source: Option<At<String>>,
        /// `plain`: the field that repeats the last id of the path; an answer that says another one is not passed on.
        named_by: Option<At<String>>,
        /// Counts that are taken out.
        totals: Vec<At<String>>,
        /// Counts that become the number of visible entries.
        visible: Vec<At<String>>,
        /// Counts that become the number of their pages.
        pages: Vec<At<String>>,
        /// A list of fields of the shipped table.
        keep: At<String>,
        /// Fields and the class that masks them.
        mask: BTreeMap<Name, At<String>>,
        /// Parts of an interaction, and what is fetched of several: fields that hold links to files, by level and name such as `mediaUris.*.mediaUri`, and
        /// the action that lets each pass. It must be open for every leg that the part speaks of.
        links: BTreeMap<Name, At<ActionWord>>,
        /// Parts of an interaction: what is answered, as JSON, while the upstream says that it is still making the file (202).
        pending: Option<At<String>>,
        /// The upstream's answer for nothing, as JSON; `${pageSize}`, `${pageNumber}`, `${total}`, `${pageCount}` stand for
        /// numbers of the page, and `${$.name}` for what the asked body holds there.
        empty: At<String>,
        /// Largest answer that is held.
        max_bytes: Option<usize>,
    }
}

keys! {
    /// Where the legs of a row are; each `..` is the object that holds the array.
    Leg {
        at: At<String>,
        queue: Option<At<String>>,
        user: Option<At<String>>,
        /// Start and end.
        time: Vec<At<String>>,
    }
}

keys! {
    /// One query parameter.
    Param {
        kind: ParamKindWord,
        min: Option<i64>,
        max: Option<i64>,
        words: Option<Vec<String>>,
        /// The kind of the ids.
        of: Option<AccessWord>,
    }
}

keys! {
    /// The parts of one question, each about at most `max-values` people.
    Split {
        /// At most so many parts.
        parts: usize,
        /// Metrics that may be added over the parts, where rows do not carry the person.
        additive: Vec<At<String>>,
    }
}

keys! {
    /// How each visible entry is reached once.
    Page {
        /// The kind of the entries; pages are cut from the visible ids and fetched by id.
        access: Option<AccessWord>,
        /// The parameter that names ids.
        id: Option<At<String>>,
        /// Where no parameter can name ids: at most so many rows are read from the beginning, and pages are cut from those
        /// that are visible.
        scan: Option<usize>,
        /// Fields of a row that tell one entry of a scan from another; its `keys` unless said.
        each: Option<Vec<At<String>>>,
        /// Parameters of a scan of which the asker has to name one: without them the list would be that of everybody.
        narrowed_by: Option<Vec<At<String>>>,
        /// The parameters of a page, or the fields of the body. Without them all stands in one answer.
        number: Option<At<String>>,
        /// Instead of `number`: the parameter that names a place, as the answer before did.
        place: Option<At<String>>,
        size: Option<At<String>>,
        default_size: Option<i64>,
        name: Option<At<String>>,
        order: Option<At<String>>,
        division: Option<At<String>>,
    }
}

keys! {
    /// One example: who asks what, and what becomes of it.
    Test {
        name: At<String>,
        /// User id, or id of a service account.
        r#as: At<String>,
        /// The body.
        asks: Option<Json>,
        /// Whether it is asked as a job; `upstream` and `shows` are its results then.
        as_job: Option<bool>,
        /// What is done with kept questions, instead of asking one.
        as_saved: Option<SavedWord>,
        /// Definitions that are there, by their ids.
        saved: BTreeMap<Name, At<SavedThere>>,
        /// What is done with schedules, instead of asking a question.
        as_schedule: Option<ScheduleWord>,
        /// Schedules that are there, by their ids.
        scheduled: BTreeMap<Name, At<ScheduledThere>>,
        /// Whether it is asked by a link that holds the body.
        by_link: Option<bool>,
        /// Path ids and query parameters.
        params: BTreeMap<Name, Json>,
        /// The outgoing body; of an operation without a body, the outgoing parameters.
        sends: Option<Json>,
        /// The code of the refusal.
        refuses: Option<At<String>>,
        /// The answer that is given without asking the upstream.
        answers: Option<Json>,
        /// The interaction that is looked at before a part of it is asked for: JSON, or the name of a JSON file.
        interaction: Option<At<Json>>,
        /// Exports that the asker has: their ids, and what he asked for.
        exported: BTreeMap<Name, Json>,
        /// What the upstream answers: JSON, or the name of a JSON file beside this one.
        upstream: Option<At<Json>>,
        /// What the asker gets of it.
        shows: Option<At<Json>>,
        /// The region that it is asked of, where that is not the asker's own.
        region: Option<At<String>>,
        /// Another instant than the fixture's.
        now: Option<Instant>,
    }
}

words! {
    ClassWord => Class {
        Query = "query",
        List = "list",
        Read = "read",
        Export = "export",
        NoData = "no-data",
        Write = "write",
    }
}
words! { DialectWord => Dialect { Genesys = "genesys", Platform = "platform", OpenSearch = "opensearch", Criteria = "criteria", Marks = "marks", } }
words! { DataWord => Data { Interaction = "interaction", Queue = "queue", User = "user", Flow = "flow", Case = "case", Team = "team", Division = "division", Metadata = "metadata", } }
words! {
    ActionWord => Action {
        View = "view",
        Playback = "playback",
        Transcript = "transcript",
        Export = "export",
        AddRemove = "add-remove",
        Preview = "preview",
    }
}
words! {
    AssumptionWord => Assumption {
        EntriesAnd = "entries-and",
        SameSegment = "same-segment",
        LegFilter = "leg-filter",
        LegsContained = "legs-contained",
        DivisionOfLeg = "division-of-leg",
        DivisionOfCase = "division-of-case",
        PersonFilter = "person-filter",
        IdsOnly = "ids-only",
        ViewFilter = "view-filter",
        PartOfItsInteraction = "part-of-its-interaction",
        RecordingOfOne = "recording-of-one",
        CriteriaAnd = "criteria-and",
    }
}
words! { AudienceWord => Audience { Everybody = "everybody", Internal = "internal", } }
words! { OutsourcersWord => Outsourcers { Count = "count", ByDivision = "by-division", ByRow = "by-row", } }
words! { ParentWord { ReadShared = "read-shared", } }
words! {
    ScheduleWord => ScheduleStep {
        List = "list",
        Save = "save",
        Read = "read",
        Change = "change",
        Remove = "remove",
        Runs = "runs",
        Answer = "answer",
    }
}
words! {
    SavedWord => DefinitionStep {
        List = "list",
        Save = "save",
        Read = "read",
        Change = "change",
        Remove = "remove",
        Run = "run",
        Executions = "executions",
    }
}
words! { BpoWord => BpoExports { Refuse = "refuse", Allow = "allow", } }
words! { CallerWord => Caller { User = "user", Queues = "queues", Grants = "grants", Divisions = "divisions", } }
words! { OutsideWord => Outside { Refuse = "refuse", Narrow = "narrow", } }
words! { StaticWord => StaticDead { Refuse = "refuse", Drop = "drop", } }
words! { EmptyScopeWord => EmptyScope { Refuse = "refuse", Answer = "answer", } }
words! { ArchivedWord { Exclude = "exclude", Include = "include", } }
words! { EntryWord { Append = "append", Never = "never", } }
words! { AskedWord { Conjoin = "conjoin", } }
words! { StrengthWord => Strength { Exact = "exact", Cover = "cover", } }
words! { ReachWord => Reach { Contained = "contained", WholeDay = "whole-day", Overlap = "overlap", } }
words! {
    ShapeWord => Shape {
        Groups = "groups",
        Rows = "rows",
        Owned = "owned",
        Entities = "entities",
        Entity = "entity",
        Conversations = "conversations",
        Conversation = "conversation",
        Documents = "documents",
        Plain = "plain",
        Bound = "bound",
    }
}
words! {
    AccessWord {
        Queue = "queue",
        User = "user",
        Division = "division",
        Region = "region",
        Conversation = "conversation",
        Flow = "flow",
        Team = "team",
        Case = "case",
        Label = "label",
        Group = "group",
    }
}
words! { ForeignWord { Cut = "cut", Pseudonym = "pseudonym", } }
words! { ParamKindWord { Int = "int", Enum = "enum", Text = "text", Ids = "ids", Place = "place", } }

impl Shared {
    /// Takes from the family what the rule does not say itself.
    pub(super) fn or(self, family: &Self) -> Self {
        macro_rules! merged {
            ($($field:ident),* $(,)?) => {{
                let Self { $($field),* } = self;
                Self { $($field: $field.or_else(|| family.$field.clone())),* }
            }};
        }
        merged!(
            class,
            dialect,
            data,
            permission,
            any,
            all,
            action,
            body,
            needs,
            audience,
            outsourcers,
            outside,
            r#static,
            empty_scope,
            archived,
            division_slot,
            max_clauses,
            max_predicates,
            max_values,
            narrow,
            time,
            sort,
            group_by,
            metrics,
            split,
            refuse,
            answer,
            params,
            page,
            below,
            caller,
            part,
            own,
            bpo,
            look,
        )
    }
}
