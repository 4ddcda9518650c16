package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
)

// checkTree compares every version that can be seen in the owner's folder go/ with its record: those that list names,
// and those that have an .info, as pseudo-versions do.
func (a *auditor) checkTree() {
	filepath.WalkDir(a.treeDir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				a.wrong(a.inTree(path), "%v", err)
			}
			return nil
		}
		if entry.IsDir() && path == filepath.Join(a.treeDir, "sumdb") {
			return fs.SkipDir
		}
		if entry.IsDir() && entry.Name() == "@v" {
			a.checkModule(path)
			return fs.SkipDir
		}
		return nil
	})
}

func (a *auditor) inTree(path string) string {
	relative, err := filepath.Rel(a.treeDir, path)
	if err != nil {
		return path
	}
	return filepath.ToSlash(relative)
}

// checkModule compares the versions in a folder @v.
func (a *auditor) checkModule(folder string) {
	modulePath, err := module.UnescapePath(strings.TrimSuffix(a.inTree(folder), "/@v"))
	if err != nil {
		a.wrong(a.inTree(folder), "%v", err)
		return
	}
	escaped := map[string]bool{}
	list, err := os.ReadFile(filepath.Join(folder, "list"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		a.wrong(a.inTree(filepath.Join(folder, "list")), "%v", err)
	}
	for _, version := range strings.Fields(string(list)) {
		if name, err := module.EscapeVersion(version); err == nil {
			escaped[name] = true
		}
	}
	infos, _ := filepath.Glob(filepath.Join(folder, "*.info"))
	for _, info := range infos {
		if name := strings.TrimSuffix(filepath.Base(info), ".info"); name != "latest" {
			escaped[name] = true
		}
	}
	for name := range escaped {
		version, err := module.UnescapeVersion(name)
		if err != nil {
			a.wrong(a.inTree(filepath.Join(folder, name+".info")), "%v", err)
			continue
		}
		a.versions++
		a.checkVersion(modulePath, version, filepath.Join(folder, name))
	}
}

// checkVersion hashes the zip and the .mod of a version, and compares them with its record.
func (a *auditor) checkVersion(modulePath, version, base string) {
	zip, err := dirhash.HashZip(base+".zip", dirhash.Hash1)
	isGone := func(err error) bool { return a.moving && errors.Is(err, fs.ErrNotExist) }
	if isGone(err) {
		return
	} else if err != nil {
		a.wrong(a.inTree(base+".zip"), "%v", err)
		return
	}
	mod, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return os.Open(base + ".mod") })
	if isGone(err) {
		return
	} else if err != nil {
		a.wrong(a.inTree(base+".mod"), "%v", err)
		return
	}
	var text []byte
	if id, isRecorded := a.names[modulePath+" "+version]; isRecorded {
		text = a.records[id]
	} else {
		path := lookupPath(sums{module: modulePath, version: version})
		if _, err := a.db.read(path); !a.moving || err != nil {
			a.wrong(path, "there is no record of this version, which %s shows", a.inTree(base+".info"))
			return
		}
		// it was published after the head that was read
		_, found, ok := a.readLookup(path)
		if !ok {
			return
		}
		text = found
	}
	s, err := parseSums(text)
	if err != nil {
		return // told before
	}
	if s.zip != zip {
		a.wrong(a.inTree(base+".zip"), "it is %s, and %s is recorded", zip, s.zip)
	}
	if s.mod != mod {
		a.wrong(a.inTree(base+".mod"), "it is %s, and %s is recorded", mod, s.mod)
	}
}
