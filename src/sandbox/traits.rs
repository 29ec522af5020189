//! What can be switched: the world behind each assumption, and the ways to disobey.

use std::time::Duration;

/// One switch per assumption about an upstream. On: the assumption holds. Off: the other world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches, set one by one")]
pub struct Traits {
    /// Entries of a filter array, and arrays among each other, are joined by *and* (off: by *or*).
    pub entries_and: bool,
    /// Predicates of one segment filter entry hold on one segment (off: each on a segment of its own).
    pub same_segment: bool,
    /// An aggregate judges one leg at a time (off: a conversation with a matching leg counts with all its legs).
    pub leg_filter: bool,
    /// A leg counts in an interval that contains the whole of it (off: in the one where it starts).
    pub legs_contained: bool,
    /// `divisionId` on legs means the leg's division (off: any tag of the conversation).
    pub division_of_leg: bool,
    /// `divisionId` of a case is the division that owns it (off: any tag of its conversation).
    pub division_of_case: bool,
    /// Teams are counted person by person (off: whole, when one of their people matches).
    pub person_filter: bool,
    /// A list asked for ids returns no other entity (off: it adds strangers).
    pub ids_only: bool,
    /// An export counts only legs that fit `queueIds` and `userIds` of its filter (off: it reads neither).
    pub view_filter: bool,
    /// A recording is found below its own interaction alone (off: below any).
    pub part_of_its_interaction: bool,
    /// A recording is of one interaction (off: every seventh is of a further one, too).
    pub recording_of_one: bool,
    /// Criteria of a search are joined by *and* (off: by *or*).
    pub criteria_and: bool,
}

impl Default for Traits {
    /// What the real upstream is believed to do: divisions are tags of whole conversations.
    fn default() -> Self {
        Self {
            entries_and: true,
            same_segment: true,
            leg_filter: true,
            legs_contained: true,
            division_of_leg: false,
            division_of_case: true,
            person_filter: true,
            ids_only: true,
            view_filter: true,
            part_of_its_interaction: true,
            recording_of_one: false,
            criteria_and: true,
        }
    }
}

impl Traits {
    /// Sets the switch of an assumption by its name; `false` when there is none of this name.
    pub fn set(&mut self, assumption: &str, on: bool) -> bool {
        let switch = match assumption {
            "entries-and" => &mut self.entries_and,
            "same-segment" => &mut self.same_segment,
            "leg-filter" => &mut self.leg_filter,
            "legs-contained" => &mut self.legs_contained,
            "division-of-leg" => &mut self.division_of_leg,
            "division-of-case" => &mut self.division_of_case,
            "person-filter" => &mut self.person_filter,
            "ids-only" => &mut self.ids_only,
            "view-filter" => &mut self.view_filter,
            "part-of-its-interaction" => &mut self.part_of_its_interaction,
            "recording-of-one" => &mut self.recording_of_one,
            "criteria-and" => &mut self.criteria_and,
            _ => return false,
        };
        *switch = on;
        true
    }
}

/// Ways in which an upstream may fail its contract. All off at the start; any mixture is possible.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches, set one by one")]
pub struct Disobedience {
    /// Filters are read, then forgotten.
    pub ignore_filters: bool,
    /// Searches of evaluations give so many a page at most, whatever was asked.
    pub short_pages: Option<u64>,
    /// Each page of theirs but the first begins with the last row of the page before.
    pub shifted_pages: bool,
    /// Of several interactions that are read by their ids, none is known: 404.
    pub forgotten: bool,
    /// Some rows are added that the filter excludes.
    pub foreign_rows: bool,
    /// Some rows of another region are added.
    pub other_region: bool,
    /// Every new job gets the id of the first.
    pub same_job: bool,
    /// Recordings are still being made: 202, with words of the upstream's own.
    pub transcoding: bool,
    /// Files of recordings lie on another host.
    pub far_files: bool,
    /// A file is somewhere else: 302.
    pub moved_files: bool,
    /// Totals are too high.
    pub false_totals: bool,
    /// Unknown members stand in the answer and in its rows.
    pub extra_fields: bool,
    /// The body ends half-way, against its length.
    pub truncated: bool,
    /// The body is complete, and no JSON.
    pub invalid_json: bool,
    /// A page of HTML comes with status 200.
    pub html: bool,
    /// 429 with `Retry-After` of so many seconds.
    pub too_many: Option<u64>,
    /// 500 with the native error body.
    pub server_error: bool,
    /// Each 512 bytes of the body wait for so long.
    pub drip: Option<Duration>,
    /// The first byte waits for so long.
    pub delay: Option<Duration>,
    /// The connection is closed without an answer (with a reset where it was opened after this was set).
    pub reset: bool,
    /// `/oauth/token` answers 401 to everybody.
    pub refuse_tokens: bool,
    /// Bearers issued before are no longer known.
    pub forget_tokens: bool,
}
