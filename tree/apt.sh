# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# apt with a state of its own, so that the machine's sources, lists and pins are neither used nor touched. The archive's
# keyring makes apt verify every list, and by them every package.

apt_private() {
	local state=$CACHE/apt command=$1
	shift
	"$command" -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::lists="$state/lists" -o Dir::Cache="$state" -o Dir::Cache::archives="$state/archives" \
		-o APT::Sandbox::User="$(id -un)" -o APT::Update::Error-Mode=any -o Acquire::Retries=3 \
		-o Acquire::Languages=none -o APT::Get::List-Cleanup=false "$@"
}

# The mirror that this machine's own apt uses for Debian itself.
mirror() {
	apt-get indextargets --format '$(REPO_URI)' 'Label: Debian' | sort -u | head -n 1
}

# apt_state REMEDY: prepares for apt_source and apt_private; REMEDY is what the user can do without them.
apt_state() {
	KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
	[[ -e $KEYRING ]] || KEYRING=${KEYRING%.gpg}.pgp
	[[ -e $KEYRING ]] || die "the package debian-archive-keyring is not here: $1"
	MIRROR=$(mirror)
	[[ $MIRROR ]] || die "apt on this machine knows no Debian mirror ('apt-get update' may help); or $1"
	mkdir -p "$CACHE/apt"/{lists,archives}/partial
}

# apt_source SUITE: the line of sources.list for it.
apt_source() { echo "deb [signed-by=$KEYRING] $MIRROR $1 main"; }
