//go:build tools

// Package tools pins the Temporal server and its schema tool, as a production deployment runs them; for tests.
package tools

import (
	_ "go.temporal.io/server/cmd/server"
	_ "go.temporal.io/server/cmd/tools/sql"
)
