package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"sort"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// A question has a go.mod, or the files of a package.
type question struct {
	GoMod *string           `json:"goMod"`
	Files map[string]string `json:"files"`
}

type requirement struct {
	Path     string `json:"path"`
	Version  string `json:"version"`
	Indirect bool   `json:"indirect,omitempty"`
}

type retraction struct {
	Low       string `json:"low"`
	High      string `json:"high"`
	Rationale string `json:"rationale"`
}

// What go reads in a question. Error tells why it reads nothing.
type facts struct {
	Error      string        `json:"error,omitempty"`
	Module     string        `json:"module,omitempty"`
	Deprecated string        `json:"deprecated,omitempty"`
	Go         string        `json:"go,omitempty"`
	Requires   []requirement `json:"requires"`
	Retracts   []retraction  `json:"retracts"`
	Name       string        `json:"name,omitempty"`
	Synopsis   string        `json:"synopsis,omitempty"`
}

// As cmd/go/internal/modload rawGoModSummary reads the go.mod of a dependency.
func readGoMod(text string) facts {
	f, err := modfile.ParseLax("go.mod", []byte(text), nil)
	if err != nil {
		return facts{Error: err.Error()}
	}
	found := facts{Requires: []requirement{}, Retracts: []retraction{}}
	if f.Module != nil {
		found.Module, found.Deprecated = f.Module.Mod.Path, f.Module.Deprecated
	}
	if f.Go != nil {
		found.Go = f.Go.Version
	}
	for _, r := range f.Require {
		found.Requires = append(found.Requires, requirement{r.Mod.Path, r.Mod.Version, r.Indirect})
	}
	for _, r := range f.Retract {
		// Without a version fixer any text is a bound. go compares it as a version, so 'v1' is v1.0.0.
		low, high := module.CanonicalVersion(r.Low), module.CanonicalVersion(r.High)
		if low != "" && high != "" {
			found.Retracts = append(found.Retracts, retraction{low, high, r.Rationale})
		}
	}
	return found
}

// The name and the synopsis that go/doc gives the package that has these files.
func readPackage(sources map[string]string) facts {
	var names []string
	for name := range sources {
		names = append(names, name)
	}
	sort.Strings(names)
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		file, err := parser.ParseFile(fset, name, sources[name], parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			return facts{Error: err.Error()}
		}
		files = append(files, file)
	}
	p, err := doc.NewFromFiles(fset, files, "example.com/m")
	if err != nil {
		return facts{Error: err.Error()}
	}
	return facts{Name: p.Name, Synopsis: doc.Synopsis(p.Doc)}
}

func answerFacts(out *bufio.Writer) {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<26)
	for in.Scan() {
		var q question
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			panic(err)
		}
		var answer facts
		if q.GoMod != nil {
			answer = readGoMod(*q.GoMod)
		} else {
			answer = readPackage(q.Files)
		}
		line, _ := json.Marshal(answer)
		fmt.Fprintln(out, string(line))
		out.Flush()
	}
}
