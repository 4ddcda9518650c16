package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height    = 8
	tileWidth = 1 << height
	dataLevel = -1
)

// A head that was seen, and where.
type seenHead struct {
	root tlog.Hash
	path string
}

type laterHead struct {
	path string
	tree tlog.Tree
}

type auditor struct {
	key                       string
	verifier                  note.Verifier
	db                        *place
	treeDir, stateDir, memory string
	moving, disabled          bool
	clients                   int

	problems []string
	seen     map[string]bool // problems that were told

	latest     tlog.Tree
	latestNote []byte
	newest     []byte               // the data tile that is not full, of a moving log
	records    [][]byte             // the text of each
	hashes     []tlog.Hash          // of the whole log, as tlog stores them
	tiles      map[tlog.Tile][]byte // the hash tiles of the latest head, as they are
	names      map[string]int64     // "module version" → the first record of that name
	heads      map[int64]seenHead   // all that were signed
	later      []laterHead          // heads of a moving log that are newer than the latest that was read
	versions   int
	lookups    int
}

// wrong tells a problem of a file.
func (a *auditor) wrong(path, format string, args ...any) {
	text := path + ": " + fmt.Sprintf(format, args...)
	if !a.seen[text] {
		a.seen[text] = true
		a.problems = append(a.problems, text)
	}
}

// ReadHashes makes the auditor the tlog.HashReader of what follows from the records.
func (a *auditor) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x >= int64(len(a.hashes)) {
			return nil, fmt.Errorf("no hash %d", x)
		}
		found[i] = a.hashes[x]
	}
	return found, nil
}

func (a *auditor) rootAt(size int64) tlog.Hash { return must(tlog.TreeHash(size, a)) }

// openHead reads a signed head. The problem is told when it is none.
func (a *auditor) openHead(path string, msg []byte) (tlog.Tree, bool) {
	opened, err := note.Open(msg, note.VerifierList(a.verifier))
	if err != nil {
		a.wrong(path, "its head: %v", err)
		return tlog.Tree{}, false
	}
	tree, err := tlog.ParseTree([]byte(opened.Text))
	if err != nil {
		a.wrong(path, "its head: %v", err)
		return tlog.Tree{}, false
	}
	return tree, true
}

func tileOf(level int, n int64, width int) tlog.Tile {
	return tlog.Tile{H: height, L: level, N: n, W: width}
}

// readTile returns a tile's file, or the beginning of its full tile, which stands for it; and the path of what it read.
func (a *auditor) readTile(tile tlog.Tile) (data []byte, path string, err error) {
	path = tile.Path()
	data, err = a.db.read(path)
	if err == nil || tile.W == tileWidth {
		return data, path, err
	}
	full := tileOf(tile.L, tile.N, tileWidth)
	if whole, err2 := a.db.read(full.Path()); err2 == nil {
		if tile.L == dataLevel {
			texts := bytes.SplitAfterN(whole, []byte("\n\n"), tile.W+1)
			whole = bytes.Join(texts[:min(len(texts), tile.W)], nil)
		} else if len(whole) >= tile.W*tlog.HashSize {
			whole = whole[:tile.W*tlog.HashSize]
		}
		return whole, full.Path(), nil
	}
	return nil, path, err
}

// tilesAt are the hash tiles of a log of this size.
func tilesAt(size int64) []tlog.Tile { return tlog.NewTiles(height, 0, size) }

// splitRecords takes the texts of a data tile apart.
func splitRecords(data []byte) ([][]byte, error) {
	var texts [][]byte
	for len(data) > 0 {
		_, text, rest, err := tlog.ParseRecord(append([]byte("0\n"), data...))
		if err != nil {
			return texts, fmt.Errorf("record %d of the tile: %v", len(texts), err)
		}
		texts, data = append(texts, text), rest
	}
	return texts, nil
}

type sums struct{ module, version, zip, mod string }

// parseSums reads the two lines of a record.
func parseSums(text []byte) (sums, error) {
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) != 2 {
		return sums{}, fmt.Errorf("it has %d lines", len(lines))
	}
	zip, mod := strings.Split(lines[0], " "), strings.Split(lines[1], " ")
	if len(zip) != 3 || len(mod) != 3 || mod[0] != zip[0] || mod[1] != zip[1]+"/go.mod" {
		return sums{}, fmt.Errorf("its lines are not those of one version")
	}
	if err := module.Check(zip[0], zip[1]); err != nil && !strings.HasPrefix(zip[0], "golang.org/toolchain") {
		return sums{}, err
	}
	for _, hash := range []string{zip[2], mod[2]} {
		if _, err := tlog.ParseHash(strings.TrimPrefix(hash, "h1:")); err != nil || !strings.HasPrefix(hash, "h1:") {
			return sums{}, fmt.Errorf("%q is no h1", hash)
		}
	}
	return sums{zip[0], zip[1], zip[2], mod[2]}, nil
}

func lookupPath(s sums) string {
	return "lookup/" + must(module.EscapePath(s.module)) + "@" + must(module.EscapeVersion(s.version))
}

// readRecords reads the data tiles and the hash tiles of the latest head, and proves them against it. It returns false
// when they do not lead to that head, so that nothing can be said of the rest.
func (a *auditor) readRecords() bool {
	size := a.latest.N
	a.records = make([][]byte, size)
	leaves := make([]tlog.Hash, size)
	known := make([]bool, (size+tileWidth-1)/tileWidth) // data tiles that could be read
	for n := range known {
		width := int(min(size-int64(n)*tileWidth, tileWidth))
		tile := tileOf(dataLevel, int64(n), width)
		data, path, err := a.newest, tile.Path(), error(nil)
		if width == tileWidth || data == nil {
			data, path, err = a.readTile(tile)
		}
		if err != nil {
			a.wrong(path, "%v", err)
			continue
		}
		texts, err := splitRecords(data)
		if err != nil {
			a.wrong(path, "%v", err)
			continue
		}
		if len(texts) != width {
			a.wrong(path, "it has %d records, not %d", len(texts), width)
			continue
		}
		known[n] = true
		for i, text := range texts {
			id := n*tileWidth + i
			a.records[id], leaves[id] = text, tlog.RecordHash(text)
		}
	}
	a.tiles = map[tlog.Tile][]byte{}
	for _, tile := range tilesAt(size) {
		data, path, err := a.readTile(tile)
		if err != nil {
			a.wrong(path, "%v", err)
		} else if len(data) != tile.W*tlog.HashSize {
			a.wrong(path, "it has %d bytes, not %d", len(data), tile.W*tlog.HashSize)
		} else {
			a.tiles[tile] = data
		}
	}
	// a data tile that is lost: the hashes of its records are in the tile above
	for n, isKnown := range known {
		if isKnown {
			continue
		}
		width := int(min(size-int64(n)*tileWidth, tileWidth))
		data, ok := a.tiles[tileOf(0, int64(n), width)]
		if !ok {
			return false
		}
		for i := range width {
			copy(leaves[n*tileWidth+i][:], data[i*tlog.HashSize:])
		}
	}
	a.hashAll(leaves)
	if a.rootAt(size) != a.latest.Hash && !a.blame(leaves, known) {
		return false
	}
	for tile, data := range a.tiles {
		if !bytes.Equal(data, must(tlog.ReadTileData(tile, a))) {
			a.wrong(tile.Path(), "its hashes are not those of the records")
		}
	}
	return true
}

func (a *auditor) hashAll(leaves []tlog.Hash) {
	a.hashes = make([]tlog.Hash, 0, 2*len(leaves))
	for id, leaf := range leaves {
		a.hashes = append(a.hashes, must(tlog.StoredHashesForRecordHash(int64(id), leaf, a))...)
	}
}

// blame finds the files because of which the records do not lead to the latest head. It returns true when the tiles do,
// so that the hashes of all records are known all the same.
func (a *auditor) blame(leaves []tlog.Hash, known []bool) bool {
	reader := tlog.TileHashReader(a.latest, tileFiles(a.tiles))
	found := 0
	for n, isKnown := range known {
		first, last := int64(n)*tileWidth, min(int64(n+1)*tileWidth, a.latest.N)
		var indexes []int64
		for id := first; id < last; id++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, id))
		}
		hashes, err := reader.ReadHashes(indexes)
		if err != nil {
			continue
		}
		for i, hash := range hashes {
			if id := int(first) + i; leaves[id] != hash {
				leaves[id] = hash
				found++
				if isKnown {
					a.records[id] = nil
					a.wrong(tileOf(dataLevel, int64(n), int(last-first)).Path(), "record %d is not the one of the log", id)
				}
			}
		}
	}
	if found > 0 {
		a.hashAll(leaves)
		if a.rootAt(a.latest.N) == a.latest.Hash {
			return true
		}
	}
	// Nothing leads to the head: what agrees with the records is not to blame.
	isOff := false
	for tile, data := range a.tiles {
		if !bytes.Equal(data, must(tlog.ReadTileData(tile, a))) {
			isOff = true
			a.wrong(tile.Path(), "its hashes are those of neither the records nor the head")
		}
	}
	if !isOff {
		a.wrong("latest", "its root %v is not that of its %d records, %v", a.latest.Hash, a.latest.N, a.rootAt(a.latest.N))
	}
	return false
}

// findLost looks for the records of wrong data tiles elsewhere: their hashes are known.
func (a *auditor) findLost() {
	if !slices.ContainsFunc(a.records, func(text []byte) bool { return text == nil }) {
		return
	}
	take := func(id int64, text []byte) {
		if id < 0 || id >= a.latest.N || a.records[id] != nil {
			return
		}
		if a.hashes[tlog.StoredHashIndex(0, id)] == tlog.RecordHash(text) {
			a.records[id] = text
		}
	}
	if a.stateDir != "" {
		data, _ := os.ReadFile(filepath.Join(a.stateDir, "records"))
		texts, _ := splitRecords(data)
		for id, text := range texts {
			take(int64(id), text)
		}
	}
	a.db.walk("lookup", func(path string) {
		data, _ := a.db.read(path)
		if id, text, _, err := tlog.ParseRecord(data); err == nil {
			take(id, text)
		}
	})
}

// tileFiles is the tlog.TileReader of tiles that were read.
type tileFiles map[tlog.Tile][]byte

func (tileFiles) Height() int                     { return height }
func (tileFiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (t tileFiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		found, ok := t[tile]
		if !ok {
			return nil, fmt.Errorf("%s: %w", tile.Path(), errMissing)
		}
		data[i] = found
	}
	return data, nil
}
