//! JSON schemas of the rule files, for completion in editors. They stand beside the files as `rules/*.schema.json`.

use super::{
    format::RuleFile,
    model_format::{DeniedFile, ModelFile, PermissionFile, TemplateFile},
};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

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
        ("denied.schema.json", text::<DeniedFile>()),
    ]
}

fn text<T: JsonSchema>() -> String {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
    optional_lists(&mut schema);
    format!("{schema:#}\n")
}

/// A list or a table of names that is missing reads as an empty one.
fn optional_lists(schema: &mut Value) {
    let is_list = |property: &Value| {
        property.get("type").is_some_and(|kind| kind == "array")
            || (property.get("additionalProperties").is_some() && property.get("properties").is_none())
    };
    if let Value::Object(members) = schema {
        let properties = members.get("properties").cloned();
        if let Some(Value::Array(required)) = members.get_mut("required") {
            required.retain(|name| {
                let property = name.as_str().and_then(|name| properties.as_ref()?.get(name));
                !property.is_some_and(is_list)
            });
        }
    }
    match schema {
        Value::Object(members) => members.values_mut().for_each(optional_lists),
        Value::Array(items) => items.iter_mut().for_each(optional_lists),
        _ => {}
    }
}
