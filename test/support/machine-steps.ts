// Steps of a person on a machine with a systemd: one shell script, whose lines `step NAME` say what comes.

import type { Test } from 'tap'
import { runOnMachine, type OwnMachine } from './nspawn.js'

// What the scripts share. A reader reads all the time, and tells what failed twice: nginx that loads its rules again may
// close a connection that has asked nothing yet, and never a second one.
const TOOLS = `
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
step() { set +x; echo "STEP $*"; set -x; }
fails() { ! "$@"; }
until_ok() {
  set +x
  n=0
  until "$@"; do n=$((n + 1)); test $n -lt 1200 || return 1; sleep 0.1; done
  set -x
}
in_journal() { journalctl -u "$1" | grep "$2"; } # which gets a line a little after it was printed
pid_of() { systemctl show --property=MainPID --value "$1"; }
child_of() { pgrep -P "$(pid_of plinth)" -f "$1"; }
read_all_the_time() {
  rm -f stop
  : > failed
  : > reads
  (set +ex; while [ ! -e stop ]; do
    curl -fsS --max-time 20 -o /dev/null "$@" 2>once || curl -fsS --max-time 20 -o /dev/null "$@" 2>>failed
    echo >> reads
  done; touch stopped) &
}
end_reading() { touch stop; until_ok test -e stopped; rm stopped; cat failed; test ! -s failed; test -s reads; }
`
const END = 'the end'

/**
 * Runs the steps of `script` on the machine: a step that fails is the last. Resolves with what they printed; with
 * `undefined` when a step has failed, or when no machine can be had and the test is skipped. On a machine of its own,
 * comments tell how long each step took.
 */
export async function runSteps(
  t: Test,
  folder: string,
  script: string,
  machine?: Omit<OwnMachine, 'onOutput'>,
): Promise<string | undefined> {
  const steps = [...script.matchAll(/^step (.+)$/gm)].map(([, name = '']) => name)
  const own = machine && { ...machine, onOutput: tellingTimes(t) }
  const {
    started,
    output,
    console: said,
  } = await runOnMachine(folder, `${TOOLS}${script}\nstep ${END}\n`, own)
  if (!started) {
    t.pass('no machine', { skip: `NOT TESTED: no systemd can be booted here: ${said.slice(-600)}` })
    return undefined
  }
  // A step is done when the next one begins.
  for (const [index, name] of steps.entries())
    if (!t.ok(output.includes(`\nSTEP ${steps[index + 1] ?? END}\n`), name)) {
      t.comment(output.slice(-6000).replace(/.*\r/g, ''))
      return undefined
    }
  return output
}

/** Returns what hears of the output, and comments on each step when the next one begins. */
function tellingTimes(t: Test): (text: string) => void {
  let begun = Date.now()
  let step = 'the machine boots'
  let rest = ''
  return (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines.filter((each) => each.startsWith('STEP '))) {
      t.comment(`${((Date.now() - begun) / 1000).toFixed(1).padStart(6)} s  ${step}`)
      begun = Date.now()
      step = line.slice('STEP '.length)
    }
  }
}
