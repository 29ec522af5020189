//! Where log lines go: standard error, as text or as JSON, one line for each event.

use tracing_subscriber::EnvFilter;

/// How the program speaks of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub format: Format,
    /// A filter such as `info` or `bailiwick=debug,hyper=warn`.
    pub level: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    #[default]
    Text,
    Json,
}

impl Default for Settings {
    fn default() -> Self {
        Self { format: Format::Text, level: "info".to_owned() }
    }
}

/// Installs the subscriber of this process. A second call changes nothing.
pub fn init(settings: &Settings) {
    let filter = EnvFilter::try_new(&settings.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Tests and `demo --once` may install it before us.
    let _already_installed = match settings.format {
        Format::Text => builder.with_ansi(false).try_init(),
        Format::Json => builder.json().try_init(),
    };
}
