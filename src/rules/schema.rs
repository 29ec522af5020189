//! JSON schemas of the rule files, for completion in editors. They stand beside the files as `rules/*.schema.json`.

use super::{
    format::RuleFile,
    model_format::{ModelFile, PermissionFile, TemplateFile},
};
use schemars::{JsonSchema, generate::SchemaSettings};

/// `rules/rules.schema.json`.
pub fn schema() -> String {
    text::<RuleFile>()
}

/// Every schema: file name in `rules/`, and text.
pub fn schemas() -> Vec<(&'static str, String)> {
    vec![
        ("rules.schema.json", schema()),
        ("models.schema.json", text::<ModelFile>()),
        ("permissions.schema.json", text::<PermissionFile>()),
        ("templates.schema.json", text::<TemplateFile>()),
    ]
}

fn text<T: JsonSchema>() -> String {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    format!("{:#}\n", schema.to_value())
}
