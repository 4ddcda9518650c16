// The manual's lines for a machine that serves for good, on one: a systemd of its own runs the shipped units.

import { execFileSync } from 'node:child_process'
import { copyFileSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { NODE_ENV, NODE_FLAGS } from '../../src/service/node-flags.js'
import { block, MANUAL, ROOT } from '../support/documents.js'
import { runSteps } from '../support/machine-steps.js'
import { needsSystemd } from '../support/nspawn.js'
import { needs } from '../support/programs.js'
import { makeRelease } from '../support/release.js'
import { tempFolder } from '../support/temp-folder.js'

const UNITS = ['plinth.service', 'plinth-service.service']
const unitPath = (name: string): string => join(ROOT, 'scripts/deploy/systemd', name)

/** What `systemd-analyze security` may find open at most, of 10. */
const MOST_EXPOSED = 2.5

t.test('the units, as systemd reads them', needs('systemd-analyze'), async (t) => {
  for (const name of UNITS) {
    const said = execFileSync('systemd-analyze', ['verify', unitPath(name)], {
      encoding: 'utf8',
      stdio: 'pipe',
    })
    t.equal(said, '', name)
    const found = execFileSync(
      'systemd-analyze',
      ['security', '--offline=true', '--no-pager', `--threshold=${MOST_EXPOSED * 10}`, unitPath(name)],
      { encoding: 'utf8', stdio: 'pipe' },
    )
    t.match(found, `Overall exposure level for ${name}: `)
  }
})

t.test('the service alone is started as npm start starts it', async (t) => {
  const unit = readFileSync(unitPath('plinth-service.service'), 'utf8')
  t.match(unit, `ExecStart=node ${NODE_FLAGS.join(' ')} /opt/plinth/current/build/src/main.js\n`)
  const env = Object.entries(NODE_ENV).map(([name, value]) => `${name}=${value}`)
  t.match(unit, `Environment=${env.join(' ')}\n`)
})

const [OLD, NEW] = ['0.0.1-old', '0.0.2-new']

/** A block of the manual, where npm reaches no registry: the first release has the packages, the next one gets them. */
const offline = (lines: string): string =>
  lines.replace(
    /^\(cd (".*") && npm ci --omit=dev\)$/gm,
    (_line, folder) =>
      `test -d ${folder}/node_modules || cp -a /opt/plinth/plinth-${OLD}/node_modules ${folder}`,
  )

/** A folder for a machine, with the releases. The one that has the npm packages is made once. */
function withReleases(versions: readonly string[]): string {
  const folder = tempFolder('plinth-machine')
  for (const version of versions)
    if (version === OLD && first !== undefined) copyFileSync(first, join(folder, basename(first)))
    else {
      const made = makeRelease(folder, version, { withModules: version === OLD })
      if (version === OLD) first = made
    }
  return folder
}
let first: string | undefined

const SETTINGS = 'export PLINTH_DATA=/var/lib/plinth\n'

const CERTIFICATES = `
certificate() {
  mkdir -p "$1"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$2" -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout "$1/privkey.pem" -out "$1/fullchain.pem" 2>/dev/null
}
serves() {
  openssl s_client -connect localhost:443 </dev/null 2>/dev/null | openssl x509 -noout -fingerprint > served
  openssl x509 -noout -fingerprint -in "$1/fullchain.pem" | cmp - served
}
`

const UNDER_SYSTEMD = `${SETTINGS}${CERTIFICATES}
step a release is installed
export VERSION=${OLD} OLD_VERSION=${OLD}
${offline(block(MANUAL, 'A release', 1))}
plinth --version | grep -F ${OLD}

step the unit is started, and an account is made
(${offline(block(MANUAL, 'Under systemd'))}) > said
TOKEN=$(tail -n 1 said)
test "$(systemctl show --property=StatusText --value plinth)" = 'serving /var/lib/plinth at http://localhost:80'

step the journal has no token
until_ok in_journal plinth 'there is no account yet: make one with plinth account add admin --admin'
fails sh -c 'journalctl -u plinth | grep plinth_'

step it runs as its user, with one capability, and writes to its data folder alone
test "$(ps -o user= -p "$(pid_of plinth)")" = plinth
grep 'CapEff:.0000000000000400' "/proc/$(child_of main.js)/status"
grep 'NoNewPrivs:.1' "/proc/$(child_of main.js)/status"
grep 'Seccomp:.2' "/proc/$(child_of main.js)/status"
for file in /etc/x /opt/plinth/x /var/x /usr/x; do fails nsenter -t "$(pid_of plinth)" -m touch $file; done
nsenter -t "$(pid_of plinth)" -m touch /var/lib/plinth/x
fails nsenter -t "$(child_of main.js)" -m ls /root/.bashrc

step packages are published and read, private ones, too
F=api/packages/admin/generic/tool/1.0
curl -fsS --user "admin:$TOKEN" --upload-file /opt/plinth/current/LICENSE "http://127.0.0.1/$F/a"
curl -fsS "http://127.0.0.1/$F/a" | cmp - /opt/plinth/current/LICENSE
plinth owner add secret --private
curl -fsS --user "admin:$TOKEN" --upload-file /opt/plinth/current/LICENSE "http://127.0.0.1/api/packages/secret/generic/tool/1.0/a"
curl -fsS --user "admin:$TOKEN" "http://127.0.0.1/api/packages/secret/generic/tool/1.0/a" | cmp - /opt/plinth/current/LICENSE
test "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1/api/packages/secret/generic/tool/1.0/a")" = 401
curl -fsS http://127.0.0.1/admin/ | grep tool

step https with a certificate that certbot renewed
${offline(block(MANUAL, 'Under systemd', 1))}
certificate renewed 30
RENEWED_LINEAGE=$PWD/renewed /etc/plinth/renew
cat >> /etc/plinth/plinth.env <<'END'
PLINTH_TLS_CERT=/etc/plinth/tls/fullchain.pem
PLINTH_TLS_KEY=/etc/plinth/tls/privkey.pem
PLINTH_LISTEN=*:443
END
systemctl restart plinth
serves renewed

step a renewed certificate is loaded while reads go on
URL=https://localhost
read_all_the_time -k "$URL/$F/a"
certificate again 31
RENEWED_LINEAGE=$PWD/again /etc/plinth/renew
until_ok serves again
until_ok systemctl is-active plinth

step one that is broken is left aside
echo broken > /etc/plinth/tls/fullchain.pem
systemctl reload plinth
until_ok sh -c 'systemctl show --property=StatusText plinth | grep "cannot load again, and goes on with what was loaded"'
serves again
cp again/fullchain.pem /etc/plinth/tls/
systemctl reload plinth
until_ok sh -c 'systemctl show --property=StatusText plinth | grep =serving'
end_reading

step a service that hangs is ended and started again, and reads go on
mkdir -p /etc/systemd/system/plinth.service.d
printf '[Service]\nWatchdogSec=12\n' > /etc/systemd/system/plinth.service.d/test.conf
systemctl daemon-reload
systemctl restart plinth
read_all_the_time -k "$URL/$F/a"
MAIN=$(pid_of plinth)
HUNG=$(child_of main.js)
kill -STOP "$HUNG"
until_ok fails kill -0 "$HUNG"
until_ok curl -fsSk --user "admin:$TOKEN" --upload-file /opt/plinth/current/LICENSE "$URL/$F/hung"
end_reading
test "$(pid_of plinth)" = "$MAIN"

step nginx that hangs is ended and started again
SERVICE=$(child_of main.js)
pgrep -P "$(child_of 'nginx: master')" | xargs kill -STOP
until_ok curl -fsSk --max-time 1 "$URL/$F/a" -o /dev/null
test "$(child_of main.js)" = "$SERVICE"
test "$(pid_of plinth)" = "$MAIN"

step a supervisor that hangs is started anew by systemd
kill -STOP "$MAIN"
is_started_anew() { test "$(pid_of plinth)" != 0 && test "$(pid_of plinth)" != "$MAIN"; }
until_ok is_started_anew
until_ok curl -fsSk --user "admin:$TOKEN" --upload-file /opt/plinth/current/LICENSE "$URL/$F/supervisor"

step an upgrade: reads go on, and nginx has the new rules
read_all_the_time -k "$URL/$F/a"
export VERSION=${NEW}
tar -xzf "plinth-$VERSION.tgz"
echo 'server_tokens on;' >> plinth-$VERSION/scripts/deploy/nginx/server.conf
sed -i '/server_tokens/d' plinth-$VERSION/scripts/deploy/nginx/connections.conf
tar -czf "plinth-$VERSION.tgz" "plinth-$VERSION"
MAIN=$(pid_of plinth)
BEFORE=$(child_of main.js)
(${offline(block(MANUAL, 'Upgrade and rollback of a release'))})
until_ok sh -c 'curl -ksI https://localhost/ | grep -i "^server: nginx/"'
fails test "$(child_of main.js)" = "$BEFORE"
plinth --version | grep -F ${NEW}
curl -fsSk --user "admin:$TOKEN" --upload-file /opt/plinth/current/LICENSE "$URL/$F/upgraded"
end_reading

step nginx that dies has the new rules again
NGINX=$(child_of 'nginx: master')
another_nginx() { MASTER=$(child_of 'nginx: master') && test "$MASTER" != "$NGINX"; }
kill -KILL "$NGINX"
until_ok another_nginx # until then the workers of the dead one answer
until_ok sh -c 'curl -ksI https://localhost/ | grep -i "^server: nginx/"'

step a rollback: reads go on, and nginx has the old rules
read_all_the_time -k "$URL/$F/a"
BEFORE=$(child_of main.js)
(${offline(block(MANUAL, 'Upgrade and rollback of a release', 1))})
until_ok sh -c 'curl -ksI https://localhost/ | grep -i "^server: nginx.$"'
fails test "$(child_of main.js)" = "$BEFORE"
curl -fsSk --user "admin:$TOKEN" --upload-file /opt/plinth/current/LICENSE "$URL/$F/rolled-back"
curl -fsSk "$URL/$F/upgraded" | cmp - /opt/plinth/current/LICENSE
end_reading
test "$(pid_of plinth)" = "$MAIN"
plinth verify

step it stops when it is told to
systemctl stop plinth
test "$(systemctl show --property=Result --value plinth)" = success
fails curl -sk "$URL/"
`

t.test('nginx and the service under systemd', needsSystemd('nginx', 'curl', 'openssl', 'npm'), async (t) => {
  await runSteps(t, withReleases([OLD, NEW]), UNDER_SYSTEMD)
})

const SITE = 'plinth.example.com'

const BEHIND_NGINX = `${SETTINGS}
export VERSION=${OLD}
${offline(block(MANUAL, 'A release', 1))}

step an nginx serves another site already
echo 'server { listen 80 default_server; return 200 other\\n; }' > /etc/nginx/conf.d/other.conf
rm -f /etc/nginx/sites-enabled/default
nginx
test "$(curl -fsS http://127.0.0.1/)" = other

step the service alone is started
(${offline(block(MANUAL, 'Behind an nginx of your own'))}) > said
TOKEN=$(grep '^plinth_' said)

step nginx includes it
(${offline(block(MANUAL, 'Behind an nginx of your own', 1))})
get() { curl -fsS -H 'Host: ${SITE}' "$@"; }
status_of() { curl -s -o /dev/null -w '%{http_code}' -H 'Host: ${SITE}' "$@"; }
until_ok sh -c "curl -s -H 'Host: ${SITE}' http://127.0.0.1/ | grep team"
test "$(curl -fsS http://127.0.0.1/)" = other

step packages are published and read, private ones, too
F=http://127.0.0.1/api/packages/team/generic/tool/1.0
P=http://127.0.0.1/api/packages/secret/generic/tool/1.0
plinth owner add secret --private
for to in "$F/a" "$P/a"; do get --user "admin:$TOKEN" --upload-file /opt/plinth/current/LICENSE "$to"; done
get "$F/a" | cmp - /opt/plinth/current/LICENSE
get --user "admin:$TOKEN" "$P/a" | cmp - /opt/plinth/current/LICENSE
get -H "Authorization: Bearer $TOKEN" "$P/a" | cmp - /opt/plinth/current/LICENSE
get http://127.0.0.1/team/ | grep tool
test "$(status_of "$P/a")" = 401

step refused credentials are logged beside the logs of nginx
test "$(status_of --user admin:wrong "$P/a")" = 401
until_ok grep '"event":"refused".*"path":"/api/packages/secret/generic/tool/1.0/a","status":401' /var/log/nginx/plinth-refused.log

step other users of the machine neither read what is private nor write to the socket
as_nobody() { setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; }
T=/var/lib/plinth/tree/api/packages
as_nobody cat $T/team/generic/tool/1.0/a > /dev/null
fails as_nobody cat $T/secret/generic/tool/1.0/a
fails as_nobody ls /var/lib/plinth/access/readers
fails as_nobody curl --unix-socket /var/lib/plinth/state/shim.sock http://x/
setpriv --reuid=www-data --regid=www-data --clear-groups cat $T/secret/generic/tool/1.0/a > /dev/null
fails setpriv --reuid=www-data --regid=www-data --clear-groups ls /var/lib/plinth/access/accounts

step the service is killed: reads go on, and it is started again
read_all_the_time -H 'Host: ${SITE}' "$F/a"
kill -KILL "$(pid_of plinth-service)"
until_ok get --user "admin:$TOKEN" --upload-file /opt/plinth/current/LICENSE "$F/b"
get --user "admin:$TOKEN" "$P/a" | cmp - /opt/plinth/current/LICENSE
end_reading

step a setting that nginx does not have yet is named at the start
differences_are() { test "$(in_journal plinth-service 'not as the settings' | wc -l)" = "$1"; }
starts_are() { test "$(in_journal plinth-service '"event":"ready"' | wc -l)" = "$1"; }
until_ok starts_are 2
differences_are 1
echo 'PLINTH_PUBLIC_URL=http://${SITE}/x' >> /etc/plinth/plinth.env
systemctl restart plinth-service
until_ok starts_are 3
in_journal plinth-service 'not as the settings' | tail -n 1 | grep 'not as the settings and this version have it: http.conf'
(${offline(block(MANUAL, 'Behind an nginx of your own', 1))})
systemctl restart plinth-service
until_ok starts_are 4
differences_are 2
until_ok sh -c "curl -sI -H 'Host: ${SITE}' http://127.0.0.1/team | grep -i 'location: /x/team/'"

step a folder that others may write is not given to nginx
mkdir -p -m 777 /tmp/of-others/plinth
chmod 777 /tmp/of-others/plinth
fails plinth nginx-files /tmp/of-others/plinth
test -z "$(ls /tmp/of-others/plinth)"

step nginx opens no log in a folder of others, and makes none that others read
install -d -o plinth /tmp/of-plinth
fails plinth nginx-files /etc/nginx/plinth --refused-log /tmp/of-plinth/refused.log
test -z "$(ls /tmp/of-plinth)"
test "$(stat -c %a /var/log/nginx/plinth-refused.log)" = 640

step without the group the start says what to do
gpasswd -d plinth www-data
fails systemctl restart plinth-service
until_ok in_journal plinth-service 'usermod -a -G www-data'
`

t.test('the service behind an nginx of somebody', needsSystemd('nginx', 'curl', 'npm'), async (t) => {
  await runSteps(t, withReleases([OLD]), BEHIND_NGINX)
})
