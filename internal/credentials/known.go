// Package credentials knows which settings of a deployment are credentials: the
// names the platform itself uses, which migrate-env moves unless told otherwise, and
// the signs by which the settings of other applications look like secrets.
//
// The signs are for a report that a person reads. They err towards naming a
// setting too many, not towards naming ports, switches, paths and addresses.
package credentials

import "slices"

// Category is a group of known names.
type Category struct {
	Name  string   // "critical", "sso", …
	Names []string // environment variable names
}

// known is the one table of the names that are moved by default.
var known = []Category{
	{"critical", []string{
		"MAZEVAULT_MASTER_KEY",
		"MAZEVAULT_JWT_KEY",
		"DATABASE_URL",
		"DB_CONNECTION",
		"REDIS_URL",
		"MAZEVAULT_SYNC_SECRET",
	}},
	{"sso", []string{
		"ENTRA_CLIENT_SECRET",
		"GITHUB_CLIENT_SECRET",
		"GITLAB_CLIENT_SECRET",
	}},
	{"integration", []string{
		"AGENT_BINARY_GITHUB_TOKEN",
		"GATEWAY_BOOTSTRAP_TOKEN",
		"DYNATRACE_TOKEN",
	}},
	{"notifications", []string{
		"SMTP_USERNAME",
		"SMTP_PASSWORD",
		"SMSEAGLE_USERNAME",
		"SMSEAGLE_PASSWORD",
		"SMSEAGLE_ACCESS_TOKEN",
		"JIRA_USERNAME",
		"JIRA_API_TOKEN",
		"TEAMS_WEBHOOK_URL",
		"O365_CLIENT_SECRET",
		"O365_CERTIFICATE_PASSWORD",
	}},
	{"license", []string{
		"BUILD_AUTH_SECRET",
		"LICENSE_PUBLIC_KEY",
	}},
	{"infrastructure", []string{
		"SESSION_SECRET",
		"POSTGRES_PASSWORD",
		"REDIS_PASSWORD",
	}},
}

// Known returns the known names by category, as a copy, in the order critical,
// sso, integration, notifications, license, infrastructure.
func Known() []Category {
	categories := slices.Clone(known)
	for i := range categories {
		categories[i].Names = slices.Clone(categories[i].Names)
	}
	return categories
}

// IsKnown reports whether name is one of the known names. Case matters.
func IsKnown(name string) bool {
	for _, category := range known {
		if slices.Contains(category.Names, name) {
			return true
		}
	}
	return false
}
