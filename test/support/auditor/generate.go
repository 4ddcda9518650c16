package main

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// newestDataWidths are the partial data tiles that are kept.
const newestDataWidths = 4

type generator struct {
	out, db, state string
	signer         note.Signer
	keyHash        uint32
	zips           bool

	hashes     []tlog.Hash
	size       int64
	root       tlog.Hash
	length     int64    // bytes of records
	text       []string // of the data tile that is not full
	dataWidths []string // paths of the newest partial data tiles
	recordsLog *os.File
	headsLog   *os.File
}

func (g *generator) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		found[i] = g.hashes[x]
	}
	return found, nil
}

func write(path string, data []byte) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		fail(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		fail(err)
	}
}

// nth names the record of this number: with capitals, +incompatible, pseudo-versions and pre-releases among them.
func nth(id int64) module.Version {
	path, minor := fmt.Sprintf("corp.example/m%d", id/50), id%50
	switch {
	case minor%10 == 3:
		return module.Version{Path: "github.com/Azure/M" + path[len("corp.example/m"):], Version: fmt.Sprintf("v1.%d.0", minor)}
	case minor%10 == 5:
		return module.Version{Path: path, Version: fmt.Sprintf("v2.%d.0+incompatible", minor)}
	case minor%10 == 7:
		return module.Version{Path: path, Version: fmt.Sprintf("v0.0.0-20261129%06d-0123456789ab", minor)}
	case minor%10 == 9:
		return module.Version{Path: path, Version: fmt.Sprintf("v1.%d.0-RC.1", minor)}
	}
	return module.Version{Path: path, Version: fmt.Sprintf("v1.%d.0", minor)}
}

// publish makes the files of a version in the tree and returns its two hashes.
func (g *generator) publish(m module.Version) (string, string) {
	goMod := "module " + m.Path + "\n\ngo 1.21\n"
	base := filepath.Join(g.out, must(module.EscapePath(m.Path)), "@v")
	name := filepath.Join(base, must(module.EscapeVersion(m.Version)))
	var data bytes.Buffer
	w := zip.NewWriter(&data)
	for _, file := range [][2]string{{"go.mod", goMod}, {"m.go", "package m // " + m.Version + "\n"}} {
		entry := must(w.Create(m.Path + "@" + m.Version + "/" + file[0]))
		must(io.WriteString(entry, file[1]))
	}
	if err := w.Close(); err != nil {
		fail(err)
	}
	write(name+".zip", data.Bytes())
	write(name+".mod", []byte(goMod))
	write(name+".info", must(json.Marshal(map[string]string{"Version": m.Version, "Time": "2026-11-29T00:00:00Z"})))
	if !module.IsPseudoVersion(m.Version) {
		list, _ := os.ReadFile(filepath.Join(base, "list"))
		write(filepath.Join(base, "list"), append(list, m.Version+"\n"...))
	}
	zipHash := must(dirhash.HashZip(name+".zip", dirhash.Hash1))
	modHash := must(dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return os.Open(name + ".mod") }))
	return zipHash, modHash
}

func (g *generator) sums(m module.Version) (string, string) {
	if g.zips {
		return g.publish(m)
	}
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "h1:" + base64.StdEncoding.EncodeToString(sum[:])
	}
	return hash(m.String()), hash(m.String() + "/go.mod")
}

// commit appends a batch of records and writes what follows from it, as a group commit does.
func (g *generator) commit(batch []module.Version) {
	old := g.size
	type lookup struct {
		m    module.Version
		id   int64
		text string
	}
	var lookups []lookup
	for _, m := range batch {
		zipHash, modHash := g.sums(m)
		text := fmt.Sprintf("%s %s %s\n%s %s/go.mod %s\n", m.Path, m.Version, zipHash, m.Path, m.Version, modHash)
		g.hashes = append(g.hashes, must(tlog.StoredHashes(g.size, []byte(text), g))...)
		lookups = append(lookups, lookup{m, g.size, text})
		g.text = append(g.text, text+"\n")
		must(io.WriteString(g.recordsLog, text+"\n"))
		g.length += int64(len(text)) + 1
		g.size++
		if g.size%tileWidth == 0 {
			g.writeData()
		}
	}
	if g.size%tileWidth != 0 {
		g.writeData()
	}
	for _, tile := range tlog.NewTiles(height, old, g.size) {
		write(filepath.Join(g.db, tile.Path()), must(tlog.ReadTileData(tile, g)))
		if tile.W == tileWidth {
			os.RemoveAll(filepath.Join(g.db, tile.Path()+".p"))
		}
	}
	g.root = must(tlog.TreeHash(g.size, g))
	head := signHead(g.signer, tlog.Tree{N: g.size, Hash: g.root})
	signature := must(g.signer.Sign(tlog.FormatTree(tlog.Tree{N: g.size, Hash: g.root})))
	fmt.Fprintf(g.headsLog, "%d %d %v %s\n", g.size, g.length, g.root, base64.StdEncoding.EncodeToString(signature))
	for _, l := range lookups {
		path := lookupPath(sums{module: l.m.Path, version: l.m.Version})
		write(filepath.Join(g.db, path), append(must(tlog.FormatRecord(l.id, []byte(l.text))), head...))
	}
	write(filepath.Join(g.db, "latest"), head)
}

// writeData writes the data tile of the newest records.
func (g *generator) writeData() {
	tile := tileOf(dataLevel, (g.size-1)/tileWidth, len(g.text))
	write(filepath.Join(g.db, tile.Path()), []byte(strings.Join(g.text, "")))
	if tile.W == tileWidth {
		g.text, g.dataWidths = nil, nil
		os.RemoveAll(filepath.Join(g.db, tile.Path()+".p"))
		return
	}
	g.dataWidths = append(g.dataWidths, tile.Path())
	if len(g.dataWidths) > newestDataWidths {
		os.Remove(filepath.Join(g.db, g.dataWidths[0]))
		g.dataWidths = g.dataWidths[1:]
	}
}

func runGenerate(flags *flag.FlagSet) {
	out := flags.String("out", "", "the folder go/ of an owner; the database is below sumdb/ there")
	state := flags.String("state", "", "where key, records and heads go; default is a folder state beside -out")
	size := flags.Int64("size", 0, "records")
	name := flags.String("name", "sum.corp.example/team", "the name of the database")
	seed := flags.String("seed", "plinth", "the key follows from it")
	batch := flags.Int64("batch", 1, "records of a commit")
	zips := flags.Bool("zips", false, "make the zips, too")
	twice := flags.Bool("twice", false, "record the first version once more at the end, as if nobody had looked it up")
	flags.Parse(os.Args[2:])

	secret := sha256.Sum256([]byte(*seed))
	public := ed25519.NewKeyFromSeed(secret[:]).Public().(ed25519.PublicKey)
	verifierKey := must(note.NewEd25519VerifierKey(*name, public))
	id := strings.Split(verifierKey, "+")[1]
	signerKey := "PRIVATE+KEY+" + *name + "+" + id + "+" + base64.StdEncoding.EncodeToString(append([]byte{1}, secret[:]...))
	if *state == "" {
		*state = filepath.Join(filepath.Dir(*out), "state")
	}
	for _, folder := range []string{*out, *state} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			fail(err)
		}
	}
	g := &generator{
		out: *out, db: filepath.Join(*out, "sumdb", *name), state: *state, signer: must(note.NewSigner(signerKey)), zips: *zips, root: must(tlog.TreeHash(0, nil)),
		recordsLog: must(os.Create(filepath.Join(*state, "records"))),
		headsLog:   must(os.Create(filepath.Join(*state, "heads"))),
	}
	write(filepath.Join(*state, "key"), []byte(signerKey+"\n"))
	var versions []module.Version
	for id := range *size {
		versions = append(versions, nth(id))
	}
	if *twice {
		versions = append(versions, versions[0])
	}
	for len(versions) > 0 {
		n := min(*batch, int64(len(versions)))
		g.commit(versions[:n])
		versions = versions[n:]
	}
	write(filepath.Join(g.db, "supported"), nil)
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"key": verifierKey, "secret": signerKey, "db": g.db, "state": *state,
		"size": g.size, "root": g.root.String(),
	})
}
