// A rule's remediation with what is known of a finding's resource in place of placeholders
// (scanner/outcome/remediation.py), and what of it is left to be filled in (scanner/outcome/steps.py).

const OTHERS = " OTHER_PROCESSORS";
const PLACEHOLDER = /( OTHER_PROCESSORS(?!\w)|(?<!\w)(?:REGION|PROCESSORS|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?!\w))/g;
const KNOWN = new Set(["REGION", "ACCOUNT_ID", "APP_INSTANCE_ARN", "APP_INSTANCE_ID", "CHANNEL_FLOW_ARN", "FLOW_NAME",
  "PROCESSORS", "PROCESSOR_NAME", "EXECUTION_ORDER", "FALLBACK_ACTION", "FUNCTION_ARN", "FUNCTION_NAME", "FUNCTION_REGION",
  "OTHER_PROCESSORS", "ROLE_NAME"]);
const COMMAND = /(?<!\\)\n/;
const HARMLESS = /^(?!.*\/\/)[A-Za-z0-9_][A-Za-z0-9_.:/-]*(?: [A-Za-z0-9_][A-Za-z0-9_.:/-]*)*$/;
const PRINTABLE = /^(?: |[^\p{C}\p{Z}])+$/u;
const MISTAKEN = /^(?:-|(?:file|fileb|https?):\/\/)/;

const OPEN = /'[^']*'|"(?:\\.|[^"\\])*"|\\.|<([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)>/gs;

// The command in pieces: [text, whether it is a value that the reader must fill in].
export function pieces(command) {
  const found = [];
  let end = 0;
  for (const match of command.matchAll(OPEN)) {
    if (!match[1]) continue;
    found.push([command.slice(end, match.index), false], [match[0], true]);
    end = match.index + match[0].length;
  }
  return [...found, [command.slice(end), false]];
}

export function filled(text, resource, evidence) {
  const values = known(resource, evidence);
  return text.replace(PLACEHOLDER, (placeholder, _, at) => {
    const command = text.slice(0, at).split(COMMAND).at(-1).trimStart();
    const isCommand = command.startsWith("aws ");
    if (!KNOWN.has(placeholder.trim()) && !isCommand) return placeholder;
    const quoted = isCommand && command.split("'").length % 2 === 0;
    const after = text.slice(at + placeholder.length);
    const alone = /^\s$/.test(` ${text}`[at]) && /^\s/.test(`${after} `);
    const named = text.slice(0, at).endsWith("Name=") && after.startsWith(",");
    return value(placeholder, values, { quoted, alone, named }) ?? marked(placeholder, quoted);
  });
}

function value(placeholder, values, { quoted, alone, named }) {
  const name = values.names[placeholder] ?? null;
  if (name === null) return values[placeholder] ?? null;
  return named && quoted ? inShorthand(name) : asWord(name, alone, quoted);
}

function marked(placeholder, quoted) {
  const mark = `${placeholder.startsWith(" ") ? " " : ""}<${placeholder.trim()}>`;
  return quoted ? `'${mark}'` : mark;
}

function asWord(name, alone, quoted) {
  if (HARMLESS.test(name) && !(name.includes(" ") && alone)) return name;
  if (!alone || quoted || !PRINTABLE.test(name) || MISTAKEN.test(name)) return null;
  return `'${escaped(name)}'`;
}

// As the AWS CLI's shorthand takes it, within single quotes of the shell.
function inShorthand(name) {
  if (HARMLESS.test(name)) return name;
  if (!PRINTABLE.test(name)) return null;
  return escaped(`"${name.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`);
}

const escaped = (text) => text.replaceAll("'", "'\\''");

function known({ type, arn, name, account_id, region, app_instance_arn, processors: steps }, evidence) {
  const values = {
    names: {},
    REGION: region === "global" ? null : harmless(told(region)), ACCOUNT_ID: harmless(told(account_id)),
    APP_INSTANCE_ARN: harmless(app_instance_arn), APP_INSTANCE_ID: harmless((app_instance_arn ?? "").split("/").at(-1)),
  };
  if (type === "role") values.names.ROLE_NAME = arn === null ? null : name;
  if (type !== "channel_flow") return values;
  values.names.FLOW_NAME = name;
  Object.assign(values, { CHANNEL_FLOW_ARN: harmless(arn), PROCESSORS: shorthand(steps) || null });
  const at = processor(evidence);
  if (!(at in steps)) return values;
  values.names.PROCESSOR_NAME = steps[at].name;
  const others = shorthand(steps.filter((_, n) => n !== at));
  return { ...values, ...ofProcessor(steps[at]), [OTHERS]: others && ` ${others}` };
}

function ofProcessor(step) {
  const parts = (step.lambda_arn ?? "").split(":");
  return {
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
    const [order, fallback] = [step.execution_order, step.fallback_action].map(harmless);
    const [name, arn] = [inShorthand(step.name ?? ""), functionArn(step)];
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
