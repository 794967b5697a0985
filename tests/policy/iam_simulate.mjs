// Asks an independent evaluator, @cloud-copilot/iam-simulate: cases on standard input, who is allowed on standard output.
//
// It is installed into the folder that IAM_SIMULATE names, and is a program of its own: nothing of it is shipped.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'

const { runSimulation, anonymousPrincipal } = createRequire(`${process.env.IAM_SIMULATE}/`)('@cloud-copilot/iam-simulate')
const anything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }

async function allowed({ policy, identity, boundary, principal, action, resource, context }) {
  const named = (policies) => policies.map((policy, at) => ({ name: `${at}`, policy }))
  const own = identity ?? (principal?.startsWith('arn:') ? [anything] : [])
  const answer = await runSimulation(
    {
      request: {
        action,
        principal: principal ?? anonymousPrincipal,
        resource: { resource, accountId: resource.split(':')[4] },
        contextVariables: context,
      },
      identityPolicies: named(own),
      permissionBoundaryPolicies: boundary && named(boundary),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy: policy,
    },
    {},
  )
  if (answer.resultType !== 'single') throw new Error(JSON.stringify(answer))
  return answer.overallResult === 'Allowed'
}

const answers = []
for (const each of JSON.parse(readFileSync(0, 'utf8'))) answers.push(await allowed(each))
process.stdout.write(JSON.stringify(answers))
