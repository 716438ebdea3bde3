// SPDX-License-Identifier: Apache-2.0
// Run functions one after the other and report in TAP.
'use strict'

const LIMIT_MS = 60000

function limited(promise, name) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name}: not done in time`)), LIMIT_MS)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

// cases: {name: async function}
async function run(cases) {
  const names = Object.keys(cases)
  let failed = 0

  console.log(`1..${names.length}`)
  for (const [i, name] of names.entries()) {
    try {
      await limited(cases[name](), name)
      console.log(`ok ${i + 1} - ${name}`)
    } catch (error) {
      failed++
      console.log(`not ok ${i + 1} - ${name}`)
      for (const line of String(error.stack || error).split('\n')) console.log(`# ${line}`)
    }
  }
  process.exit(failed ? 1 : 0)
}

module.exports = { run }
