// What go itself says of a module zip: CheckZip, Unzip and the hash, by the toolchain's own copy of golang.org/x/mod.
// Reads paths of zips, one a line, and answers each with one line of JSON. With the argument "runes" it prints what
// x/mod/zip knows of every code point instead: letter or not, and its case folding. With the argument "pack" it reads
// lines of JSON that name a folder or a commit, and answers with the hash of the zip that CreateFromDir or CreateFromVCS
// makes of it. With the argument "facts" it reads go.mod files and sources, and answers what they say: see facts.go.
package main

import (
	"archive/zip"
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	modzip "golang.org/x/mod/zip"
)

type verdict struct {
	OK    bool    `json:"ok"`
	Error string  `json:"error"`
	H1    string  `json:"h1"`
	Ms    float64 `json:"ms"`
}

// The module that the zip would be published as: the first entry's prefix, since all entries must share it.
func identify(path string) (module.Version, error) {
	r, err := zip.OpenReader(path)
	if err != nil {
		return module.Version{}, err
	}
	defer r.Close()
	if len(r.File) == 0 {
		return module.Version{Path: "example.com/empty", Version: "v1.0.0"}, nil
	}
	name := r.File[0].Name
	modPath, rest, ok := strings.Cut(name, "@")
	version, _, ok2 := strings.Cut(rest, "/")
	if !ok || !ok2 {
		return module.Version{}, fmt.Errorf("%q has no prefix", name)
	}
	return module.Version{Path: modPath, Version: version}, nil
}

func judge(path string) verdict {
	m, err := identify(path)
	if err != nil {
		return verdict{Error: err.Error()}
	}
	start := time.Now()
	if _, err := modzip.CheckZip(m, path); err != nil {
		return verdict{Error: err.Error()}
	}
	h1, err := dirhash.HashZip(path, dirhash.Hash1)
	ms := float64(time.Since(start).Microseconds()) / 1000
	dir, err2 := os.MkdirTemp("", "plinth-oracle-")
	if err2 != nil {
		panic(err2)
	}
	defer os.RemoveAll(dir)
	if err := modzip.Unzip(dir, m, path); err != nil {
		return verdict{Error: err.Error(), H1: h1}
	}
	v := verdict{OK: true, H1: h1, Ms: ms}
	if err != nil {
		v.Error = err.Error() // Unzip is content, but go cannot compute the hash
	}
	return v
}

type packing struct {
	Dir     string `json:"dir"` // of a checkout's top when there is a Rev
	Rev     string `json:"rev"`
	Subdir  string `json:"subdir"`
	Module  string `json:"module"`
	Version string `json:"version"`
}

func create(p packing) verdict {
	file, err := os.CreateTemp("", "plinth-oracle-")
	if err != nil {
		panic(err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	m := module.Version{Path: p.Module, Version: p.Version}
	if p.Rev != "" {
		err = modzip.CreateFromVCS(file, m, p.Dir, p.Rev, p.Subdir)
	} else {
		err = modzip.CreateFromDir(file, m, p.Dir)
	}
	if err != nil {
		return verdict{Error: err.Error()}
	}
	h1, err := dirhash.HashZip(file.Name(), dirhash.Hash1)
	if err != nil {
		panic(err)
	}
	return verdict{OK: true, H1: h1}
}

// x/mod/zip strToFold, for one rune
func fold(r rune) rune {
	for {
		r0 := r
		r = unicode.SimpleFold(r0)
		if r <= r0 {
			return r
		}
	}
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	if len(os.Args) > 1 && os.Args[1] == "facts" {
		answerFacts(out)
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "runes" {
		fmt.Fprintln(out, unicode.Version)
		for r := rune(0); r <= unicode.MaxRune; r++ {
			if unicode.IsLetter(r) || fold(r) != r {
				fmt.Fprintln(out, r, unicode.IsLetter(r), fold(r))
			}
		}
		return
	}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var answer verdict
		if len(os.Args) > 1 && os.Args[1] == "pack" {
			var p packing
			if err := json.Unmarshal(in.Bytes(), &p); err != nil {
				panic(err)
			}
			answer = create(p)
		} else {
			answer = judge(in.Text())
		}
		line, _ := json.Marshal(answer)
		fmt.Fprintln(out, string(line))
		out.Flush()
	}
}
