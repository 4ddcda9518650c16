package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

func (a *auditor) audit() {
	data, err := a.db.read("supported")
	switch {
	case a.disabled && err == nil:
		a.wrong("supported", "it is there, though the database is disabled")
	case !a.disabled && err != nil:
		a.wrong("supported", "%v", err)
	case len(data) > 0:
		a.wrong("supported", "it is not empty")
	}
	if !a.readLatest(100) {
		return
	}
	if a.latest.N > 0 && !a.readRecords() {
		return
	}
	a.findLost()
	a.nameRecords()
	a.checkHead("latest", a.latest)
	if a.stateDir != "" {
		a.checkState()
	}
	a.checkLookups()
	a.checkWidths()
	a.checkStrays()
	a.checkMemory()
	if a.treeDir != "" {
		a.checkTree()
	}
	a.checkLater()
	if len(a.problems) == 0 && a.clients > 0 {
		a.askByClients()
	}
	if len(a.problems) == 0 && a.memory != "" {
		if err := os.WriteFile(a.memory, a.latestNote, 0o644); err != nil {
			fail(err)
		}
	}
}

// readLatest reads the newest head. A log without records may have none. Of a moving log it takes so many tries to read
// the newest records, too.
func (a *auditor) readLatest(tries int) bool {
	data, err := a.db.read("latest")
	if errors.Is(err, errMissing) {
		a.latest.Hash = must(tlog.TreeHash(0, nil))
		isEmpty := true
		a.db.walk("lookup", func(string) { isEmpty = false })
		a.db.walk("tile", func(string) { isEmpty = false })
		if !isEmpty {
			a.wrong("latest", "%v", err)
		}
		return isEmpty
	}
	if err != nil {
		a.wrong("latest", "%v", err)
		return false
	}
	a.latestNote = data
	tree, ok := a.openHead("latest", data)
	a.latest = tree
	if !ok || !a.moving || tree.N%tileWidth == 0 {
		return ok
	}
	// The newest records are read at once: of their tile the last four widths are kept.
	tile := tileOf(dataLevel, tree.N/tileWidth, int(tree.N%tileWidth))
	if a.newest, _, err = a.readTile(tile); errors.Is(err, errMissing) && tries > 1 {
		return a.readLatest(tries - 1)
	}
	return true
}

// nameRecords reads what the records say; a name is recorded once.
func (a *auditor) nameRecords() {
	for id, text := range a.records {
		if text == nil {
			continue // its data tile is lost
		}
		path := tileOf(dataLevel, int64(id)/tileWidth, int(min(a.latest.N-int64(id)/tileWidth*tileWidth, tileWidth))).Path()
		s, err := parseSums(text)
		if err != nil {
			a.wrong(path, "record %d: %v", id, err)
			continue
		}
		name := s.module + " " + s.version
		if first, isTwice := a.names[name]; isTwice {
			a.wrong(path, "record %d has the name of record %d, %s", id, first, name)
			continue
		}
		a.names[name] = int64(id)
	}
}

// checkHead tells whether a signed head is one of this log: a prefix of the latest, by the records and by tlog's proof.
func (a *auditor) checkHead(path string, tree tlog.Tree) bool {
	if old, ok := a.heads[tree.N]; ok {
		if old.root != tree.Hash {
			a.wrong(path, "its head of size %d has the root %v, and that of %s has %v", tree.N, tree.Hash, old.path, old.root)
		}
		return old.root == tree.Hash
	}
	if tree.N > a.latest.N {
		if a.moving {
			a.later = append(a.later, laterHead{path, tree})
			return true
		}
		a.wrong(path, "its head of size %d is newer than latest, which has %d", tree.N, a.latest.N)
		return false
	}
	if root := a.rootAt(tree.N); root != tree.Hash {
		a.wrong(path, "its head of size %d has the root %v, and the log has %v", tree.N, tree.Hash, root)
		return false
	}
	if tree.N > 0 {
		proof, err := tlog.ProveTree(a.latest.N, tree.N, a)
		if err == nil {
			err = tlog.CheckTree(proof, a.latest.N, a.latest.Hash, tree.N, tree.Hash)
		}
		if err != nil {
			a.wrong(path, "its head of size %d is no prefix of latest: %v", tree.N, err)
			return false
		}
	}
	a.heads[tree.N] = seenHead{tree.Hash, path}
	return true
}

// readLookup reads a lookup and proves it. It returns the id and the text, and false when a problem was told.
func (a *auditor) readLookup(path string) (int64, []byte, bool) {
	data, err := a.db.read(path)
	if err != nil {
		a.wrong(path, "%v", err)
		return 0, nil, false
	}
	id, text, msg, err := tlog.ParseRecord(data)
	if err != nil {
		a.wrong(path, "%v", err)
		return 0, nil, false
	}
	tree, ok := a.openHead(path, msg)
	if !ok || !a.checkHead(path, tree) {
		return 0, nil, false
	}
	if id < 0 || id >= tree.N {
		a.wrong(path, "record %d is not in its head of size %d", id, tree.N)
		return 0, nil, false
	}
	if tree.N <= a.latest.N {
		proof, err := tlog.ProveRecord(tree.N, id, a)
		if err == nil {
			err = tlog.CheckRecord(proof, tree.N, tree.Hash, id, tlog.RecordHash(text))
		}
		if err != nil {
			a.wrong(path, "its text is not record %d: %v", id, err)
			return 0, nil, false
		}
	}
	return id, text, true
}

func (a *auditor) checkLookups() {
	expected := map[string]bool{}
	for id, text := range a.records {
		if text == nil {
			continue
		}
		s, err := parseSums(text)
		if err != nil {
			continue // told before
		}
		path := lookupPath(s)
		expected[path] = true
		shown, found, ok := a.readLookup(path)
		if !ok || shown == int64(id) {
			continue
		}
		// a name that is recorded twice was told before, and its lookup can be that of one record only
		if other, err := parseSums(found); err != nil || other.module != s.module || other.version != s.version {
			a.wrong(path, "it is record %d, not %d", shown, id)
		}
	}
	a.db.walk("lookup", func(path string) {
		if expected[path] || a.moving {
			return
		}
		for _, text := range a.records {
			if text == nil {
				return // a data tile is lost: it may be one of its records
			}
		}
		a.wrong(path, "no record has this name")
	})
}

// checkStrays compares every file below tile/ with what it must be, those that no head needs any more, too.
func (a *auditor) checkStrays() {
	a.db.walk("tile", func(path string) {
		tile, err := tlog.ParseTilePath(path)
		if err != nil || tile.H != height {
			a.wrong(path, "it is no tile")
			return
		}
		level := max(tile.L, 0)
		if tile.N<<height+int64(tile.W) > a.latest.N>>(height*level) {
			if !a.moving {
				a.wrong(path, "it goes beyond latest, which has %d records", a.latest.N)
			}
			return
		}
		data, err := a.db.read(path)
		if errors.Is(err, errMissing) && a.moving {
			return
		}
		if err != nil {
			a.wrong(path, "%v", err)
			return
		}
		var want []byte
		if tile.L == dataLevel {
			for _, text := range a.records[tile.N<<height:][:tile.W] {
				if text == nil {
					return
				}
				want = append(append(want, text...), '\n')
			}
		} else {
			want = must(tlog.ReadTileData(tile, a))
		}
		if !bytes.Equal(data, want) && !a.isNamed(path) {
			a.wrong(path, "it is not what follows from the records")
		}
	})
}

func (a *auditor) isNamed(path string) bool {
	for _, problem := range a.problems {
		if strings.HasPrefix(problem, path+": ") {
			return true
		}
	}
	return false
}

// checkState compares the files heads and records of the service.
func (a *auditor) checkState() {
	data, err := os.ReadFile(filepath.Join(a.stateDir, "records"))
	if err != nil {
		a.wrong("records", "%v", err)
	}
	ends := []int64{0} // bytes of the records at each size, of which all are known
	var all []byte
	for _, text := range a.records {
		if text == nil {
			break
		}
		all = append(append(all, text...), '\n')
		ends = append(ends, int64(len(all)))
	}
	isWhole := len(ends) > len(a.records)
	if err == nil && (!bytes.HasPrefix(data, all) || isWhole && !a.moving && len(data) > len(all)) {
		a.wrong("records", "it is not the data tiles joined: %d bytes, not %d", len(data), len(all))
	}
	lines, err := os.ReadFile(filepath.Join(a.stateDir, "heads"))
	if err != nil {
		a.wrong("heads", "%v", err)
		return
	}
	last := int64(0)
	for i, line := range strings.Split(strings.TrimSuffix(string(lines), "\n"), "\n") {
		if line == "" && i == 0 {
			continue
		}
		where := fmt.Sprintf("heads:%d", i+1)
		tree, length, err := a.parseHeadLine(line)
		if err != nil {
			a.wrong(where, "%v", err)
			continue
		}
		if tree.N <= last {
			a.wrong(where, "size %d after size %d", tree.N, last)
		}
		last = tree.N
		if !a.checkHead(where, tree) || tree.N > a.latest.N {
			continue
		}
		if tree.N < int64(len(ends)) && length != ends[tree.N] {
			a.wrong(where, "the records have %d bytes at size %d, not %d", ends[tree.N], tree.N, length)
		}
	}
	if last != a.latest.N && !a.moving {
		a.wrong("latest", "its size is %d, and the last one in heads %d", a.latest.N, last)
	}
}

// checkWidths asks for the partial tiles of all heads whose full tiles are not there: a client may stand at any of them.
func (a *auditor) checkWidths() {
	missing := map[string]bool{}
	for _, size := range slices.Sorted(maps.Keys(a.heads)) {
		for level := 0; size>>(height*level) > 0; level++ {
			hashes := size >> (height * level)
			tile := tileOf(level, hashes>>height, int(hashes%tileWidth))
			path := tile.Path()
			if tile.W == 0 || tile.N < a.latest.N>>(height*(level+1)) || missing[path] {
				continue
			}
			if _, err := a.db.read(path); err == nil {
				continue // its content is compared with the others
			} else if _, err2 := a.db.read(tileOf(level, tile.N, tileWidth).Path()); err2 != nil {
				missing[path] = true
				if !a.isNamed(path) {
					a.wrong(path, "%v, and clients of the head of size %d need it", err, size)
				}
			}
		}
	}
}

// parseHeadLine reads "{size} {bytes} {root} {signature}". The signature may begin with the key's id, as in a note.
func (a *auditor) parseHeadLine(line string) (tlog.Tree, int64, error) {
	words := strings.Split(line, " ")
	if len(words) != 4 {
		return tlog.Tree{}, 0, fmt.Errorf("it has %d words, not 4", len(words))
	}
	size, err1 := strconv.ParseInt(words[0], 10, 64)
	length, err2 := strconv.ParseInt(words[1], 10, 64)
	root, err3 := tlog.ParseHash(words[2])
	signature, err4 := base64.StdEncoding.DecodeString(words[3])
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return tlog.Tree{}, 0, err
	}
	tree := tlog.Tree{N: size, Hash: root}
	if len(signature) == 68 && binary.BigEndian.Uint32(signature) == a.verifier.KeyHash() {
		signature = signature[4:]
	}
	if !a.verifier.Verify(tlog.FormatTree(tree), signature) {
		return tree, length, fmt.Errorf("its signature is wrong")
	}
	return tree, length, nil
}

// checkMemory proves that the head of the last audit is a prefix of the latest.
func (a *auditor) checkMemory() {
	if a.memory == "" {
		return
	}
	msg, err := os.ReadFile(a.memory)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	tree, ok := a.openHead(a.memory, must(msg, err))
	if !ok {
		return
	}
	if tree.N > a.latest.N {
		a.wrong("latest", "its size is %d, and %d was seen before", a.latest.N, tree.N)
		return
	}
	if root := a.rootAt(tree.N); root != tree.Hash {
		a.wrong("latest", "the root of size %d is %v, and %v was seen before", tree.N, root, tree.Hash)
		return
	}
	a.checkHead(a.memory, tree)
}

// checkLater proves what a moving log showed beyond the head that was read first.
func (a *auditor) checkLater() {
	if !a.moving {
		return
	}
	most := a.latest.N
	for _, later := range a.later {
		most = max(most, later.tree.N)
	}
	// a lookup gets its name shortly before latest does
	newest := tlog.Tree{N: -1}
	for end := time.Now().Add(10 * time.Second); newest.N < most && time.Now().Before(end); {
		msg, err := a.db.read("latest")
		if err != nil {
			a.wrong("latest", "%v", err)
			return
		}
		tree, ok := a.openHead("latest", msg)
		if !ok {
			return
		}
		newest = tree
	}
	a.checkAgainst("latest, as it was", a.latest, newest)
	for _, later := range a.later {
		a.checkAgainst(later.path, later.tree, newest)
	}
}

// checkAgainst proves that an older head is a prefix of the newest, by the tiles as they are now.
func (a *auditor) checkAgainst(path string, older tlog.Tree, newest tlog.Tree) {
	if older.N > newest.N {
		a.wrong(path, "its head of size %d is newer than latest, which was read later and has %d", older.N, newest.N)
		return
	}
	root, err := tlog.TreeHash(older.N, tlog.TileHashReader(newest, remoteTiles{a}))
	if err != nil {
		a.wrong(path, "its head of size %d cannot be proved by that of size %d: %v", older.N, newest.N, err)
	} else if root != older.Hash {
		a.wrong(path, "its head of size %d has the root %v, and the log has %v", older.N, older.Hash, root)
	}
}

// remoteTiles is the tlog.TileReader of the tiles as they are now.
type remoteTiles struct{ a *auditor }

func (remoteTiles) Height() int                     { return height }
func (remoteTiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (r remoteTiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	all := make([][]byte, len(tiles))
	for i, tile := range tiles {
		data, path, err := r.a.readTile(tile)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if len(data) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s: it has %d bytes", path, len(data))
		}
		all[i] = data
	}
	return all, nil
}
