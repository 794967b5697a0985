// The picture of a channel flow: the way of a message through its processors, and the one past them.
import { el, heading } from "./dom.js";

const MOST_ABREAST = 3; // stages; the service allows no more

// The processors that evidence speaks of: processors[1].fallback_action speaks of 1.
export function failing({ evidence: items }) {
  return new Set(items.map(({ path }) => /^processors\[(\d{1,9})\]/.exec(path)).filter(Boolean).map((match) => Number(match[1])));
}

export function pipeline(resource, outcomes, marked, status) {
  if (resource.type !== "channel_flow") return null;
  if (!resource.processors.length) return [heading("The flow"), el("p.quiet", {}, "Its processors were not observed.")];
  const word = { fail: "set wrong here", waived: "waived here", unknown: "not known here" }[status];
  const end = (name, what) => el("li.end", {}, el("span.end-name", {}, name), el("span.quiet", {}, what));
  const drawn = stages(resource.processors);
  const past = bypass(drawn.at(-1), outcomes);
  const found = status === "fail" && drawn.at(-1).some((n) => marked.has(n));
  return [heading("The flow"), el(`ol.flow.of-${drawn.length <= MOST_ABREAST ? drawn.length : "many"}${past ? ".open" : ""}`, {},
    end("Message", "sent to the channel"),
    drawn.map((stage) => el(stage.length > 1 ? "li.stage.tied" : "li.stage", {},
      stage.length > 1 ? el("p.tie", {},
        `These share order ${resource.processors[stage[0]].execution_order}: the service does not say which runs first`) : null,
      stage.map((n) => step(resource.processors[n], outcomes[n], marked.has(n) ? word : null)))),
    past ? el(found ? "li.bypass.found" : "li.bypass", {}, el("span", {}, past)) : null,
    end("Channel", "members receive it"))];
}

// The way past the last processors to the channel, as scanner/render/pipeline.py says it.
function bypass(last, outcomes) {
  if (!last.some((n) => outcomes[n][0] === "unprocessed")) return null;
  return last.length > 1 ? "if unreachable and last: delivered unread" : "if unreachable: delivered unread";
}

// The indexes of processors that share an execution order, together; two unknown orders are not known to be equal.
function stages(processors) {
  const together = [];
  processors.forEach(({ execution_order: order }, n) => {
    const last = together.at(-1);
    if (last && order !== null && processors[last[0]].execution_order === order) last.push(n);
    else together.push([n]);
  });
  return together;
}

function step({ name, execution_order: order, fallback_action: fallback, lambda_arn: arn }, [outcome, consequence], word) {
  const number = order === null
    ? [el("span.hidden", {}, "Execution order not observed"), el("span", { "aria-hidden": "true" }, "?")]
    : [el("span.hidden", {}, "Processor with execution order "), order];
  return el(word ? "div.step.failing" : "div.step", {},
    el("p.step-head", {}, el("span.order", {}, number), el("span.step-name", {}, name ?? "name not observed"),
      word ? el("span.mark", {}, word) : null),
    el("p.function", {}, arn === null ? "function not observed" : arn.split(":function:")[1] || arn),
    el(`p.outcome.${outcome}`, {}, el("b", {}, fallback ?? "Not observed"), ` ${consequence}`));
}
