// Command gitea-sdk asks a server through Gitea's SDK, one call for each argument, and prints the results as JSON.
//
//	gitea-sdk URL TOKEN CALL...
//
// A call is a name and its arguments, separated by spaces: list OWNER TYPE QUERY PAGE LIMIT, versions, get, latest,
// files, delete (OWNER TYPE NAME [VERSION]), user, owner NAME, org NAME.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"code.gitea.io/sdk/gitea"
)

type result struct {
	Value  any    `json:"value"`
	Status int    `json:"status"`
	Total  string `json:"total,omitempty"`
	Next   int    `json:"next,omitempty"`
	Last   int    `json:"last,omitempty"`
	Error  string `json:"error,omitempty"`
}

func call(client *gitea.Client, words []string) (any, *gitea.Response, error) {
	word := func(n int) string {
		if n < len(words) && words[n] != "-" {
			return words[n]
		}
		return ""
	}
	number := func(n int) int {
		value, _ := strconv.Atoi(word(n))
		return value
	}
	switch words[0] {
	case "list":
		return client.ListPackages(word(1), gitea.ListPackagesOptions{
			Type: word(2), Q: word(3),
			ListOptions: gitea.ListOptions{Page: number(4), PageSize: number(5)},
		})
	case "versions":
		return client.ListPackageVersions(word(1), word(2), word(3), gitea.ListPackagesOptions{})
	case "get":
		return client.GetPackage(word(1), word(2), word(3), word(4))
	case "latest":
		return client.GetLatestPackage(word(1), word(2), word(3))
	case "files":
		return client.ListPackageFiles(word(1), word(2), word(3), word(4))
	case "delete":
		response, err := client.DeletePackage(word(1), word(2), word(3), word(4))
		return nil, response, err
	case "user":
		return client.GetMyUserInfo()
	case "owner":
		return client.GetUserInfo(word(1))
	case "org":
		return client.GetOrg(word(1))
	}
	return nil, nil, fmt.Errorf("no call %q", words[0])
}

func main() {
	var options []gitea.ClientOption
	if token := os.Args[2]; token != "" {
		options = append(options, gitea.SetToken(token))
	}
	client, err := gitea.NewClient(os.Args[1], options...)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	output := json.NewEncoder(os.Stdout)
	for _, argument := range os.Args[3:] {
		value, response, err := call(client, strings.Split(argument, " "))
		found := result{Value: value}
		if response != nil && response.Response != nil {
			found.Status = response.StatusCode
			found.Total = response.Header.Get("X-Total-Count")
			found.Next, found.Last = response.NextPage, response.LastPage
		}
		if err != nil {
			found.Value, found.Error = nil, err.Error()
		}
		if err := output.Encode(found); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
