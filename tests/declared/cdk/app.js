// A CDK app that declares channel flows in every way that the CDK has. Its argument says how: native (CfnChannelFlow of
// aws-cdk-lib) or construct (the library cdk-amazon-chime-resources). The name of each flow says what is wrong with it.
const cdk = require("aws-cdk-lib");
const iam = require("aws-cdk-lib/aws-iam");
const lambda = require("aws-cdk-lib/aws-lambda");
const cr = require("aws-cdk-lib/custom-resources");

const isNative = process.argv[2] === "native";
const chime = isNative ? require("aws-cdk-lib/aws-chime") : require("cdk-amazon-chime-resources");
const HOME = { account: "111122223333", region: "us-east-1" };
const OTHER = { account: "444455556666", region: "eu-central-1" };
const FOREIGN = "arn:aws:lambda:us-east-1:111122223333:function:moderate:live";

function appInstance(scope, id) {
  if (!isNative) return new chime.MessagingAppInstance(scope, id, { name: "chat" }).appInstanceArn;
  return new chime.CfnAppInstance(scope, id, { name: "chat" }).attrAppInstanceArn;
}

function processor(resourceArn, fallbackAction, executionOrder = 1, name = `step ${executionOrder}`) {
  return { name, executionOrder, fallbackAction, configuration: { lambda: { resourceArn, invocationType: "ASYNC" } } };
}

function flow(scope, id, name, appInstanceArn, ...processors) {
  const asked = { name, appInstanceArn, processors };
  if (isNative) return new chime.CfnChannelFlow(scope, id, asked);
  return new chime.ChannelFlow(scope, id, { ...asked, clientRequestToken: id });
}

function moderator(scope) { // a function whose alias Chime may invoke
  const own = new lambda.Function(scope, "Moderate", {
    runtime: new lambda.Runtime("python3.13", lambda.RuntimeFamily.PYTHON, { supportsInlineCode: true }),
    handler: "index.handler",
    code: lambda.Code.fromInline("def handler(event, context): pass"),
    timeout: cdk.Duration.seconds(30),
  });
  const alias = own.addAlias("live");
  alias.addPermission("Chime", {
    principal: new iam.ServicePrincipal("messaging.chime.amazonaws.com"),
    sourceAccount: cdk.Aws.ACCOUNT_ID,
    sourceArn: `arn:aws:chime:${cdk.Aws.REGION}:${cdk.Aws.ACCOUNT_ID}:app-instance/*`,
  });
  return alias.functionArn;
}

class Inner extends cdk.NestedStack {
  constructor(scope, id, app, arn) {
    super(scope, id);
    flow(this, "Nested", "open in a nested stack", app, processor(arn, "CONTINUE"));
  }
}

class Chat extends cdk.Stack {
  constructor(scope, id, props) {
    super(scope, id, props);
    this.appInstance = appInstance(this, "App");
    this.moderator = moderator(this);
    flow(this, "Closed", "closed", this.appInstance, processor(this.moderator, "ABORT"));
    flow(this, "Open", "open, with a gap", this.appInstance, processor(this.moderator, "ABORT"),
      processor(this.moderator, "CONTINUE", 3, "other"));
    const stage = new cdk.CfnParameter(this, "StageName", { allowedValues: ["dev", "prod"] });
    const isProd = new cdk.CfnCondition(this, "IsProd", { expression: cdk.Fn.conditionEquals(stage, "prod") });
    flow(this, "Chosen", "open unless in prod", this.appInstance,
      processor(this.moderator, cdk.Fn.conditionIf(isProd.logicalId, "ABORT", "CONTINUE").toString()));
    new Inner(this, "Inner", this.appInstance, this.moderator);
  }
}

class Importing extends cdk.Stack { // values of another stack, which the CDK exports
  constructor(scope, id, chat, props) {
    super(scope, id, props);
    flow(this, "Imported", "open, of another stack", chat.appInstance, processor(chat.moderator, "CONTINUE"));
  }
}

class Calling extends cdk.Stack { // without a construct for it
  constructor(scope, id, chat, props) {
    super(scope, id, props);
    const request = { Name: "open, by a call", AppInstanceArn: chat.appInstance };
    request.Processors = [{ Name: "one", ExecutionOrder: 1, FallbackAction: "CONTINUE",
      Configuration: { Lambda: { ResourceArn: chat.moderator, InvocationType: "ASYNC" } } }];
    new cr.AwsCustomResource(this, "Call", {
      installLatestAwsSdk: false,
      onCreate: { service: "chime-sdk-messaging", action: "createChannelFlow", parameters: request,
        physicalResourceId: cr.PhysicalResourceId.fromResponse("ChannelFlowArn") },
      policy: cr.AwsCustomResourcePolicy.fromSdkCalls({ resources: ["*"] }),
    });
  }
}

class Bare extends cdk.Stack { // of which only the manifest says where it goes
  constructor(scope, id, props) {
    super(scope, id, props);
    const own = appInstance(this, "App");
    flow(this, "Foreign", "of a foreign function", own, processor(FOREIGN, "ABORT"));
  }
}

const app = new cdk.App({ analyticsReporting: false });
const chat = new Chat(app, "Chat", { env: HOME });
new Importing(app, "Importing", chat, { env: HOME });
new Calling(app, "Calling", chat, { env: HOME });
new Bare(app, "Bare", {});
new Bare(new cdk.Stage(app, "Prod", { env: OTHER }), "Bare", {});
app.synth();
