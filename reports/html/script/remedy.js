// A rule's remediation with what is known of a finding's resource in place of placeholders (scanner/remediation.py).

const OTHERS = " OTHER_PROCESSORS";
const PLACEHOLDER = new RegExp(`${OTHERS}(?!\\w)|(?<!\\w)(?:REGION|ACCOUNT_ID|APP_INSTANCE_ARN|CHANNEL_FLOW_ARN|FLOW_NAME|`
  + "PROCESSORS|PROCESSOR_NAME|EXECUTION_ORDER|FALLBACK_ACTION|FUNCTION_ARN|FUNCTION_NAME|FUNCTION_REGION)(?!\\w)", "g");
const HARMLESS = /^(?!.*\/\/)[A-Za-z0-9_][A-Za-z0-9_.:/-]*(?: [A-Za-z0-9_][A-Za-z0-9_.:/-]*)*$/;

export function filled(text, resource, evidence) {
  const values = known(resource, evidence);
  return text.replace(PLACEHOLDER, (placeholder, at) => {
    const value = values[placeholder] ?? null;
    if (value === null) return placeholder;
    const beside = ` ${text} `[at] + ` ${text} `[at + placeholder.length + 1];
    return value.includes(" ") && placeholder.endsWith("_NAME") && /^\s+$/.test(beside) ? `'${value}'` : value;
  });
}

function known({ type, arn, name, account_id, region, app_instance_arn, processors: steps }, evidence) {
  const values = {
    REGION: harmless(told(region)), ACCOUNT_ID: harmless(told(account_id)), APP_INSTANCE_ARN: harmless(app_instance_arn),
  };
  if (type === "app_instance") return values;
  Object.assign(values, {
    CHANNEL_FLOW_ARN: harmless(arn), FLOW_NAME: harmless(name), PROCESSORS: shorthand(steps) || null,
  });
  const at = processor(evidence);
  if (!(at in steps)) return values;
  const others = shorthand(steps.filter((_, n) => n !== at));
  return { ...values, ...ofProcessor(steps[at]), [OTHERS]: others && ` ${others}` };
}

function ofProcessor(step) {
  const parts = (step.lambda_arn ?? "").split(":");
  return {
    PROCESSOR_NAME: harmless(step.name),
    EXECUTION_ORDER: harmless(step.execution_order),
    FALLBACK_ACTION: harmless(step.fallback_action),
    FUNCTION_ARN: functionArn(step),
    FUNCTION_NAME: harmless(parts[6]),
    FUNCTION_REGION: harmless(parts[3]),
  };
}

// The processor that evidence speaks of, where it is one alone.
function processor(evidence) {
  const found = evidence.map(({ path }) => /^processors\[([0-9]{1,9})\]/.exec(path)).filter(Boolean);
  const places = new Set(found.map((match) => Number(match[1])));
  return places.size === 1 ? [...places][0] : -1;
}

function shorthand(steps) {
  const words = steps.map((step) => {
    const [name, order, fallback] = [step.name, step.execution_order, step.fallback_action].map(harmless);
    const arn = functionArn(step);
    return [name, order, fallback, arn].includes(null) ? null
      : `'Name=${name},ExecutionOrder=${order},FallbackAction=${fallback},`
        + `Configuration={Lambda={ResourceArn=${arn},InvocationType=ASYNC}}'`;
  });
  return words.includes(null) ? null : words.join(" ");
}

const functionArn = ({ lambda_arn: arn }) => harmless((arn ?? "").replace(/:\$LATEST$/, ""));

const told = (name) => (name === "unknown" ? null : name);

function harmless(value) {
  const text = String(value ?? "");
  return HARMLESS.test(text) ? text : null;
}
