package references

import (
	"strings"
)

// arnPattern is the ARN of a secret: a region, an account, a name.
const arnPattern = `arn:aws[a-z-]*:secretsmanager:[a-z]{2,}(?:-[a-z0-9]+)+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]{1,519}`

// latest is the alias of the newest version in GCP.
const latest = "latest"

// resourceForm is what GCP calls a secret, or a version of one.
var resourceForm = newForm(`^projects/([^/]+)/secrets/([^/]+)(?:/versions/([^/]+))?$`)

func (r *Ref) setPath(escaped string) error {
	path, err := unescape(escaped)
	if err != nil {
		return bad("the path: %v", err)
	}
	r.Path = path
	if r.Scheme == Vault {
		return checkParts(path)
	}
	if parts := resourceForm.parts(path); parts != nil && r.Scheme == GCP {
		r.Path = parts[2]
		if err := r.setOption("project", parts[1]); err != nil {
			return err
		}
		if parts[3] != "" {
			if err := r.setOption("version", parts[3]); err != nil {
				return err
			}
		}
	}
	if !rules[r.Scheme].path.matches(r.Path) {
		return bad("the path is no name that %s:// can have", r.Scheme)
	}
	return nil
}

// checkParts checks the mount and the path below it of HashiCorp Vault. No part may lead elsewhere.
func checkParts(path string) error {
	parts := strings.Split(path, "/")
	if len(parts) < 2 {
		return bad("a mount and a path below it are needed: vault://CONNECTION/MOUNT/PATH")
	}
	for _, part := range parts {
		if part == "" || part == "." || part == ".." {
			return bad("a part of the path is empty, '.' or '..'")
		}
	}
	return nil
}

// arnRegion is the region of the path, where that is an ARN.
func (r Ref) arnRegion() string {
	if r.Scheme != AWS || !strings.HasPrefix(r.Path, "arn:") {
		return ""
	}
	const regionField = 3
	return strings.SplitN(r.Path, ":", regionField+2)[regionField]
}

// RegionOr is the region of an AWS reference: its option's, its ARN's, or else the connection's.
func (r Ref) RegionOr(connection string) string {
	for _, region := range []string{r.Region, r.arnRegion()} {
		if region != "" {
			return region
		}
	}
	return connection
}

// ResourceName is the full name of a GCP reference, whose project is the connection's unless it has its own.
func (r Ref) ResourceName(connectionProject string) string {
	p, v := r.Project, r.Version
	if p == "" {
		p = connectionProject
	}
	if v == "" {
		v = latest
	}
	return "projects/" + p + "/secrets/" + r.Path + "/versions/" + v
}

// The versions of HashiCorp Vault's KV engine.
const (
	KV1 = "1"
	KV2 = "2"
)

// KVPath is the path of a Vault reference in the API, for an engine of the given version. The mount is the first part of the path,
// or the given one if the path begins with it. KV 2 has "data" behind the mount, which is put there where it is not.
func (r Ref) KVPath(kv, mount string) string {
	below, ok := strings.CutPrefix(r.Path, mount+"/")
	if mount == "" || !ok {
		mount, below, _ = strings.Cut(r.Path, "/")
	}
	if kv == KV2 && !strings.HasPrefix(below, "data/") {
		below = "data/" + below
	}
	return mount + "/" + below
}
