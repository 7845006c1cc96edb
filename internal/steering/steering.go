// Package steering knows the environment variables by which a program is not configured but taken over or led astray: those that
// tell loaders, shells and interpreters what code to run, those that say where the vault and its key are, and those that
// describe the host and the session.
//
// Whoever may write a vault could run code through the first wherever secrets become an environment. The others
// are of no use inside a vault: they are needed before it is opened, or belong to one machine.
//
// The table has what common programs read. It cannot be complete: an application can have variables of its own kind.
package steering

import (
	"runtime"
	"slices"
	"strings"
)

// code are the names by which a program runs other code than it was to: libraries, start files, options, helper
// programs, and the directories where they look for start files. A name that ends with * is a prefix.
var code = strings.Fields(`
	LD_* DYLD_* _RLD* LIBPATH SHLIB_PATH GCONV_PATH GLIBC_TUNABLES LOCPATH NLSPATH GETCONF_DIR MALLOC_CONF
	PATH PATHEXT COMSPEC IFS ENV BASH_ENV BASH_FUNC_* SHELLOPTS BASHOPTS PROMPT_COMMAND PS4 CDPATH FPATH ZDOTDIR
	PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONUSERBASE PYTHONINSPECT PYTHONBREAKPOINT PYTHONWARNINGS PYTHONEXECUTABLE
	PYTHONPLATLIBDIR PYTHONPYCACHEPREFIX PYTHONCASEOK
	PERL5LIB PERL5OPT PERL5DB PERLLIB PERL5SHELL PERLIO_DEBUG
	RUBYLIB RUBYOPT RUBYSHELL RUBYPATH GEM_HOME GEM_PATH BUNDLE_GEMFILE BUNDLE_PATH BUNDLER_SETUP
	NODE_OPTIONS NODE_PATH NODE_REPL_EXTERNAL_MODULE NODE_EXTRA_CA_CERTS ELECTRON_RUN_AS_NODE
	JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS JAVA_OPTS JAVA_OPTIONS CLASSPATH CATALINA_OPTS MAVEN_OPTS GRADLE_OPTS SBT_OPTS
	DOTNET_STARTUP_HOOKS DOTNET_ADDITIONAL_DEPS DOTNET_SHARED_STORE CORECLR_* COR_PROFILER* COR_ENABLE_PROFILING
	PHPRC PHP_INI_SCAN_DIR LUA_PATH* LUA_CPATH* LUA_INIT* TCLLIBPATH R_PROFILE R_PROFILE_USER R_ENVIRON R_ENVIRON_USER R_LIBS
	JULIA_LOAD_PATH JULIA_DEPOT_PATH ERL_FLAGS ERL_AFLAGS ERL_ZFLAGS ERL_LIBS ELIXIR_ERL_OPTIONS GODEBUG GOFLAGS
	GIT_SSH GIT_SSH_COMMAND GIT_ASKPASS GIT_EXEC_PATH GIT_CONFIG* GIT_PAGER GIT_EDITOR GIT_SEQUENCE_EDITOR GIT_PROXY_COMMAND
	GIT_EXTERNAL_DIFF GIT_TEMPLATE_DIR GIT_DIR SSH_ASKPASS SUDO_ASKPASS SUDO_EDITOR
	PAGER MANPAGER EDITOR VISUAL BROWSER LESSOPEN LESSCLOSE LESS MAKEFLAGS RSYNC_RSH CVS_RSH
	OPENSSL_CONF OPENSSL_MODULES OPENSSL_ENGINES SSL_CERT_FILE SSL_CERT_DIR KRB5_CONFIG HOSTALIASES RESOLV_HOST_CONF LOCALDOMAIN RES_OPTIONS
	HOME SHELL XDG_CONFIG_HOME XDG_CONFIG_DIRS XDG_DATA_HOME XDG_DATA_DIRS TAR_OPTIONS VIMINIT EXINIT GVIMINIT NVIM_APPNAME EMACSLOADPATH
	SVN_SSH SVN_EDITOR HGRCPATH HGEDITOR SYSTEMD_PAGER SYSTEMD_EDITOR SYSTEMD_LESS FZF_DEFAULT_COMMAND FZF_DEFAULT_OPTS
	GCC_EXEC_PREFIX COMPILER_PATH RUSTC RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER CARGO_HOME CARGO_TARGET_* NPM_CONFIG_* npm_config_* BUN_OPTIONS DENO_DIR
	GUNICORN_CMD_ARGS UWSGI_INI PSModulePath BASH_LOADABLES_PATH GUILE_LOAD_PATH GUILE_LOAD_COMPILED_PATH TCL_LIBRARY
	JAVA_HOME JVM_OPTS KAFKA_OPTS QT_QPA_PLATFORM_PLUGIN_PATH WGETRC CURL_HOME
	GIO_EXTRA_MODULES GTK_MODULES GTK_PATH QT_PLUGIN_PATH GST_PLUGIN_PATH* TERMINFO TERMINFO_DIRS TERMCAP
`)

// tool are the names that configure vault-tool and the provider themselves.
var tool = strings.Fields(`MAZEVAULT_VAULT_* VAULT_TOOL_*`)

// vault are the names that say, beside those of the tool, where the vault and its key are, and who opens the key. What
// says so has no place inside the vault.
var vault = strings.Fields(`
	AZURE_TENANT_ID AZURE_CLIENT_ID AZURE_FEDERATED_TOKEN_FILE AZURE_AUTHORITY_HOST
	IDENTITY_ENDPOINT IDENTITY_HEADER MSI_ENDPOINT MSI_SECRET CREDENTIALS_DIRECTORY NOTIFY_SOCKET
`)

// host are the names that describe a machine, a user and a session.
var host = strings.Fields(`
	USER LOGNAME USERNAME UID SHLVL PWD OLDPWD _ HOSTNAME HOSTTYPE TERM COLORTERM
	LANG LANGUAGE LC_* TZ TMPDIR TMP TEMP DISPLAY WAYLAND_DISPLAY XAUTHORITY XDG_RUNTIME_DIR XDG_SESSION_* XDG_SEAT XDG_VTNR XDG_CURRENT_DESKTOP XDG_CACHE_HOME XDG_STATE_HOME DBUS_SESSION_BUS_ADDRESS SSH_AUTH_SOCK SSH_AGENT_PID
	SSH_CONNECTION SSH_CLIENT SSH_TTY LISTEN_FDS LISTEN_PID LISTEN_FDNAMES INVOCATION_ID JOURNAL_STREAM
	SYSTEMROOT SYSTEMDRIVE WINDIR USERPROFILE APPDATA LOCALAPPDATA PROGRAMFILES PROGRAMDATA COMPUTERNAME
`)

// Code tells whether a variable of that name makes common programs run other code than they were to.
func Code(name string) bool { return in(code, name) }

// Vault tells whether a variable of that name says where the vault or its key is, or who opens the key.
func Vault(name string) bool { return Tool(name) || in(vault, name) }

// Tool tells whether a variable of that name configures vault-tool or the provider.
func Tool(name string) bool { return in(tool, name) }

// Host tells whether a variable of that name describes the host, the user or the session.
func Host(name string) bool { return in(host, name) }

func in(table []string, name string) bool {
	if runtime.GOOS == "windows" { // where a name in small letters is the same variable
		name = strings.ToUpper(name)
	}
	return slices.ContainsFunc(table, func(entry string) bool {
		prefix, isPrefix := strings.CutSuffix(entry, "*")
		return entry == name || isPrefix && strings.HasPrefix(name, prefix)
	})
}
