// What the newcomer of test/e2e/newcomer.test.ts types: lines of the manual and the README, and a check after each step.

import { block, MANUAL, README } from './documents.js'

export const [OLD, NEW] = ['0.0.1-old', '0.0.2-new']
const SITE = 'plinth.example.com'
const [FRONT, PREFIX] = ['corp.example', 'corp.example/plinth']

/** Lines of a document as they are typed where a release is installed. */
const installed = (text: string): string => text.replace(/(?<![\w/])scripts\/plinth/g, 'plinth')
/** Lines of the README, for the owner `team` behind the proxy. */
const readme = (heading: string, which = 0): string =>
  installed(block(README, heading, which))
    .replaceAll(SITE, PREFIX)
    .replaceAll('admin', 'team')

/** The line of a block that begins with `start`. */
const line = (text: string, start: string): string => {
  const found = text.split('\n').find((each) => each.startsWith(start))
  if (found === undefined) throw new Error(`no line begins with ${start}`)
  return found
}

/** What makes this machine's packages of Debian those of the manual: node and npm are there already. */
export const PACKAGES = installed(block(MANUAL, 'Running it for good')).replace(' nodejs npm', '')

/** What a person has on such a machine for other reasons. */
export const OWN_PROGRAMS = 'apt-get install curl git openssl rsync\n'

/** Answers of apt-get's user; the rest is for speed and for a readable output. */
export const APT_CONF = `APT::Get::Assume-Yes "true";
Dpkg::Use-Pty "false";
Dpkg::Options:: "--force-unsafe-io";
quiet "1";
`

const SETTINGS = `
export DEBIAN_FRONTEND=noninteractive APT_CONFIG=/host/apt.conf npm_config_cache=/npm npm_config_offline=true
status() { systemctl show --property=StatusText --value plinth; }
as_dev() { runuser -u dev -- env HOME=/home/dev PLINTH="$PLINTH" TOKEN="$TOKEN" "$@"; }
certificate() {
  mkdir -p "$2"
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$2/privkey.pem" -out request.pem
  echo "subjectAltName=DNS:$1" > names
  openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out "$2/fullchain.pem"
}
code_of() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
`

const INSTALL = `
step programs are installed from Debian
fails command -v nginx
${OWN_PROGRAMS}${PACKAGES}
curl -fsS http://127.0.0.1/ | grep 'Welcome to nginx'

step the release is installed
export VERSION=${OLD}
${installed(block(MANUAL, 'A release', 1))}
test "$(plinth --version)" = ${OLD}
test "$(stat -c %U:%a /opt/plinth/current/build/src/main.js)" = root:644
`

export const FIRST = `${SETTINGS}
step a bare Debian is booted
grep bookworm /etc/os-release
test "$(ps -p 1 -o comm= 2>/dev/null || cat /proc/1/comm)" = systemd
${INSTALL}
step the unit is started, and the first account is made
${installed(block(MANUAL, 'Under systemd')).replace(/^plinth account.*$/m, '$& > said')}
TOKEN=$(tail -n 1 said)
test "$(status)" = 'serving /var/lib/plinth at http://localhost:80'
fails sh -c 'journalctl -u plinth | grep plinth_'

step it runs without rights of root, and can change neither itself nor the machine
procs=$(find /sys/fs/cgroup -path '*/plinth.service/cgroup.procs' | head -n 1)
pids=$(cat "$procs")
test -n "$pids"
for pid in $pids; do
  test "$(stat -c %U /proc/$pid)" = plinth
done
fails setpriv --reuid=plinth --regid=plinth --clear-groups touch /opt/plinth/current/x
test "$(getent passwd plinth | cut -d: -f7)" = /usr/sbin/nologin

step health and state, as people ask for them
export PLINTH=http://127.0.0.1
(${installed(block(MANUAL, 'Health'))}) > health
cat health
grep '^reads: possible' health
grep '^uploads: possible' health

step owners and accounts
(${readme('Owners and accounts')}) > accounts
grep -c '^plinth_' accounts
plinth account rotate ci | tail -n 1 > ci
plinth account rotate alice | tail -n 1 > alice

step https with a certificate of an authority
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=An authority' -days 2 -keyout ca.key -out ca.pem
cp ca.pem /usr/local/share/ca-certificates/authority.crt
update-ca-certificates
certificate ${SITE} /etc/letsencrypt/live/${SITE}
${installed(block(MANUAL, 'Under systemd', 1))}
echo '127.0.0.1 ${SITE} ${FRONT}' >> /etc/hosts
RENEWED_LINEAGE=/etc/letsencrypt/live/${SITE} /etc/plinth/renew
cp /etc/plinth/plinth.env plain.env
cat >> /etc/plinth/plinth.env <<'END'
PLINTH_TLS_CERT=/etc/plinth/tls/fullchain.pem
PLINTH_TLS_KEY=/etc/plinth/tls/privkey.pem
PLINTH_LISTEN=*:443
END
systemctl restart plinth
curl -fsS https://${SITE}/-/ready
curl -fsSI https://${SITE}/ | grep '^HTTP/2 200'
fails curl -fsS http://${SITE}/

step a proxy in front: the nginx of Debian
cp plain.env /etc/plinth/plinth.env
echo '${line(installed(block(MANUAL, 'Behind another proxy', 0, '')), 'PLINTH_')}' | tr ' ' '\\n' | grep ^PLINTH_ >> /etc/plinth/plinth.env
systemctl restart plinth
certificate ${FRONT} front
cp front/fullchain.pem /etc/ssl/corp.example.pem
cp front/privkey.pem /etc/ssl/corp.example.key
cat > /etc/nginx/conf.d/plinth.conf <<'END'
${installed(block(MANUAL, 'Behind another proxy', 0, 'nginx'))}END
systemctl enable --now nginx
PLINTH=https://${PREFIX}
test "$(status)" = "serving /var/lib/plinth at $PLINTH (nginx listens on 127.0.0.1:8080)"
curl -fsS "$PLINTH/-/ready"
curl -fsS "$PLINTH/" | grep 'href="./team/"'
curl -fsS "$PLINTH/team/" | grep 'Nothing yet'
plinth status --url "$PLINTH"

step the proxy says who a client is
test "$(code_of --interface 127.0.0.9 --user ci:wrong "$PLINTH/api/packages/secret/generic/x/1/x")" = 401
until_ok grep '"address":"127.0.0.9"' /var/lib/plinth/state/nginx/refused.log

step somebody without rights of root publishes the first module
useradd --create-home dev
install -d -o dev /home/dev/src/m/cmd/tool
echo 'module ${PREFIX}/team/m

go 1.19' > /home/dev/src/m/go.mod
echo 'package m

const Version = "v1.0.0"' > /home/dev/src/m/m.go
echo 'package main

func main() { println("the tool runs") }' > /home/dev/src/m/cmd/tool/main.go
chown -R dev /home/dev/src
TOKEN=$(cat ci)
as_dev sh -euxc 'cd ~/src/m
git init -q . && git add .
git -c user.name=dev -c user.email=dev@example.com commit -qm m && git tag v1.0.0 && git tag v1.0.1'
as_dev sh -euxc '${readme('Publish a module')}' > published
cat published
grep 'published ${PREFIX}/team/m v1.0.0' published
grep 'GOPRIVATE=${PREFIX} go get ${PREFIX}/team/m@v1.0.0' published
test -z "$(grep plinth_ published)"

step it can be read without go
G=$PLINTH/api/packages/team/go/${PREFIX}/team/m
test "$(curl -fsS "$G/@v/list")" = v1.0.0
curl -fsS "$G/@latest" | grep '"Version":"v1.0.0"'
curl -fsS "$G/@v/v1.0.0.mod" | cmp - /home/dev/src/m/go.mod
curl -fsS "$PLINTH/team/" | grep "${PREFIX}/team/m"
`

export const WITH_GO = `
step go gets it through the proxy, and builds its tool
as_dev mkdir /home/dev/main
as_dev sh -euxc 'cd ~/main
export PATH=/usr/local/go/bin:$PATH GOTOOLCHAIN=local
go mod init example.org/main
${readme('Install')}
~/go/bin/tool
cat go.sum' > got 2>&1 || { cat got; false; }
cat got
grep 'go: added ${PREFIX}/team/m v1.0.0' got
grep 'the tool runs' got
grep "$(curl -fsS "$PLINTH/api/packages/team/-/go/${PREFIX}/team/m/@/v1.0.0.json" | grep -o '"h1:[^"]*"' | head -n 1 | tr -d '"')" got

step a private module, and go with an account
as_dev sh -euxc 'cd ~/src/m
sed -i s,/team/,/secret/, go.mod
git -c user.name=dev -c user.email=dev@example.com commit -qam secret && git tag v1.1.0'
(TOKEN=$(cat ci); as_dev sh -euxc '${readme('Publish a module')
  .replace('PLINTH_OWNER=team', 'PLINTH_OWNER=secret PLINTH_ACCOUNT=ci')
  .replace('v1.0.0', 'v1.1.0')}')
test "$(code_of "$PLINTH/api/packages/secret/go/${PREFIX}/secret/m/@v/list")" = 401
(TOKEN=$(cat alice); as_dev sh -euxc 'cd ~/main
export PATH=/usr/local/go/bin:$PATH GOTOOLCHAIN=local
${readme('Private packages').replace(`machine ${PREFIX}`, `machine ${FRONT}`)}')
`

export const BACKUP = `
step a plain file
echo 'a tool' > tool.tar.gz
TOKEN=$(tail -n 1 said)
(${readme('Publish a file').replace('"team:', '"admin:')})

step a backup and a verify, as the timers run them each night
${installed(block(MANUAL, 'Each night', 0, ''))}
systemctl list-timers --all | grep plinth-backup
systemctl start plinth-backup.service plinth-verify.service
journalctl -u plinth-backup.service -o cat | grep 'files, 0 shared with the backup before'
journalctl -u plinth-verify.service -o cat | grep ' 0 faults'
fails runuser -u dev -- ls /var/backups/plinth

step the backup is copied elsewhere, with the settings
${line(installed(block(MANUAL, 'Elsewhere with rsync or restic')), 'rsync').replace('/srv/backup', '/var/backups/plinth')}
cp -a /etc/plinth /mnt/elsewhere/etc
cp said ci alice /mnt/elsewhere/
curl -fsS "$PLINTH/api/packages/team/-/generic/tool/1.0.0/SHA256SUMS" > /mnt/elsewhere/SHA256SUMS
curl -fsS "$G/@v/v1.0.0.zip" > /mnt/elsewhere/m.zip
`

export const RESTORE = `${SETTINGS}
step another machine is booted, where users have other ids
useradd --system somebody
${INSTALL}
step the backup is restored there
fails test "$(stat -c %U /mnt/elsewhere/plinth)" = plinth
printf '%s\\n' PLINTH_LISTEN=127.0.0.1:8081 PLINTH_AUDIT_LOG=/var/log/plinth/audit.log >> /mnt/elsewhere/etc/plinth.env
(${installed(block(MANUAL, 'On another machine'))}) > restored
cat restored
grep ' 0 faults' restored
export PLINTH_DATA=/var/lib/plinth PLINTH_LISTEN=127.0.0.1:8081
test "$(find /var/lib/plinth ! -user plinth)" = ''
test -e /var/log/plinth/audit.log
plinth verify | grep ' 0 faults'
plinth status

step it serves there what was published, and tokens count
P=http://127.0.0.1:8081/api/packages
curl -fsS "$P/team/go/${PREFIX}/team/m/@v/v1.0.0.zip" | cmp - /mnt/elsewhere/m.zip
curl -fsS -o tool.tar.gz "$P/team/generic/tool/1.0.0/tool.tar.gz"
sha256sum -c /mnt/elsewhere/SHA256SUMS
S=$P/secret/generic/tool/1.0.0/tool.tar.gz
test "$(code_of --user "ci:$(cat /mnt/elsewhere/ci)" --upload-file tool.tar.gz "$S")" = 201
test "$(code_of --user "alice:$(cat /mnt/elsewhere/alice)" "$S")" = 200
test "$(code_of --user "alice:$(cat /mnt/elsewhere/alice)" --upload-file tool.tar.gz "$S")" = 401
test "$(code_of "$S")" = 401
`

export const AGAIN = `${SETTINGS}
set -a; PLINTH_DATA=/var/lib/plinth; . /etc/plinth/plinth.env; set +a
PLINTH=https://${PREFIX}
TOKEN=$(tail -n 1 said)
T=$PLINTH/api/packages/team/generic/tool
M=$PLINTH/api/packages/team/go/${PREFIX}/team/m/@latest
upload() { curl -fsS --user "admin:$TOKEN" --upload-file tool.tar.gz "$T/$1/tool.tar.gz"; }
runs() { plinth status | grep -F "service: version $1,"; }

step the machine is booted again, and serves by itself
until_ok test "$(systemctl is-active plinth nginx)" = 'active
active'
curl -fsS "$T/1.0.0/tool.tar.gz" | cmp - tool.tar.gz
upload 1.1.0

step an upgrade: reads go on
export VERSION=${NEW} OLD_VERSION=${OLD}
MAIN=$(pid_of plinth)
read_all_the_time "$M"
(${installed(block(MANUAL, 'Upgrade and rollback of a release'))})
test "$(plinth --version)" = ${NEW}
until_ok runs ${NEW}
until_ok upload 1.2.0
end_reading

step a rollback: reads go on
read_all_the_time "$M"
(${installed(block(MANUAL, 'Upgrade and rollback of a release', 1))})
test "$(plinth --version)" = ${OLD}
until_ok runs ${OLD}
until_ok upload 1.3.0
end_reading
for version in 1.0.0 1.1.0 1.2.0 1.3.0; do curl -fsS "$T/$version/tool.tar.gz" | cmp - tool.tar.gz; done
test "$(pid_of plinth)" = "$MAIN"
plinth verify | grep ' 0 faults'
plinth status
`
