//! `prune`: deletes checkpoints that are not to be kept.

use std::collections::BTreeSet;

use anyhow::bail;
use rekindle::similar::nearest;
use rekindle::upkeep::Plan;
use rekindle::{Best, Goal, Retention, Store, Writer};
use rekindle_train::recorded_best;
use serde_json::json;

use crate::args::PruneArgs;
use crate::output;
use crate::unlock;

pub fn prune(args: &PruneArgs, json: bool) -> anyhow::Result<u8> {
    let retention = retention(args)?;
    let access = unlock::access(&args.run)?;
    if args.dry_run {
        return show_plan(&Store::open(access)?, &retention, json);
    }
    let mut run = Writer::open(access, "rekindle prune")?;
    let best = best_known(&run, &retention)?;
    let pruned = run.prune(&retention, best.as_ref(), args.grace)?;
    if json {
        output::print_json(&json!({
            "plan": pruned.plan,
            "dry_run": false,
            "freed_bytes": pruned.freed_bytes,
            "condemned_bytes": pruned.condemned_bytes,
            "kept_because": pruned.kept_because.map(|damage| damage.to_string()),
            "not_rewritten": pruned.not_rewritten,
        }))?;
        return Ok(0);
    }
    print_plan(&pruned.plan, "kept", "deleted")?;
    if let Some(damage) = pruned.kept_because {
        output::print(
            "no space was freed, because a checkpoint that is damaged or cannot be read may need any pack:",
        )?;
        output::print(&format!("  {damage}"))?;
        return Ok(crate::exit::PARTIAL);
    }
    output::print(&format!("freed {}", output::bytes(pruned.freed_bytes)))?;
    if pruned.condemned_bytes > 0 {
        let bytes = output::bytes(pruned.condemned_bytes);
        output::print(&format!(
            "{bytes} more are kept for {} s, for readers, and go with the next prune (--grace 0 frees them at once)",
            args.grace
        ))?;
    }
    Ok(0)
}

fn show_plan(store: &Store, retention: &Retention, json: bool) -> anyhow::Result<u8> {
    let best = best_known(store, retention)?;
    let plan = store.prune_plan(retention, best.as_ref())?;
    if json {
        output::print_json(&json!({"plan": plan, "dry_run": true}))?;
    } else {
        print_plan(&plan, "would keep", "would delete")?;
    }
    Ok(0)
}

/// What the config calls the best, once it is sure that the metrics of `retention` are there.
fn best_known(store: &Store, retention: &Retention) -> anyhow::Result<Option<Best>> {
    let best = recorded_best(store);
    refuse_unknown_metrics(store, retention)?;
    if let Some(best) = best.as_ref().filter(|best| !metrics_of(store).contains(&best.metric)) {
        let metric = &best.metric;
        tell!("warning: no checkpoint has the metric `{metric}`, so none is kept as the best");
    }
    Ok(best)
}

fn retention(args: &PruneArgs) -> anyhow::Result<Retention> {
    let keep_best = args.keep_best.iter().map(|text| best(text)).collect::<anyhow::Result<Vec<_>>>()?;
    let retention = Retention { keep_last: args.keep_last, keep_every: args.keep_every, keep_best };
    if retention == Retention::default() {
        bail!("say what to keep: --keep-last N, --keep-every N or --keep-best METRIC");
    }
    Ok(retention)
}

/// A misspelt metric would keep nothing, and so delete what was to be kept.
fn refuse_unknown_metrics(store: &Store, retention: &Retention) -> anyhow::Result<()> {
    let known = metrics_of(store);
    let Some(unknown) = retention.keep_best.iter().find(|best| !known.contains(&best.metric)) else {
        return Ok(());
    };
    let metric = &unknown.metric;
    if known.is_empty() {
        bail!("no checkpoint has the metric `{metric}`, nor any other; nothing was deleted");
    }
    let hint = nearest(metric, known.iter().cloned());
    let hint = hint.map_or(String::new(), |metric| format!("\nhint: did you mean `{metric}`?"));
    let known: Vec<String> = known.into_iter().collect();
    bail!(
        "no checkpoint has the metric `{metric}`; there are: {}; nothing was deleted{hint}",
        known.join(", ")
    );
}

/// The names of the metrics that any checkpoint has.
fn metrics_of(store: &Store) -> BTreeSet<String> {
    store.records().flat_map(|record| record.about.metrics.keys().cloned()).collect()
}

fn best(text: &str) -> anyhow::Result<Best> {
    let (metric, goal) = match text.rsplit_once(':') {
        Some((metric, "max")) => (metric, Goal::Max),
        Some((metric, "min")) => (metric, Goal::Min),
        Some((_, other)) => bail!("`{other}` is not a goal: write METRIC:min or METRIC:max"),
        None => (text, Goal::Min),
    };
    Ok(Best { metric: metric.to_owned(), goal })
}

fn print_plan(plan: &Plan, keep: &str, delete: &str) -> anyhow::Result<()> {
    for (step, reasons) in &plan.keep {
        let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
        output::print(&format!("{keep} step {step}  ({})", reasons.join(", ")))?;
    }
    for step in &plan.delete {
        output::print(&format!("{delete} step {step}"))?;
    }
    Ok(())
}
