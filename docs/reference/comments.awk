# SPDX-License-Identifier: MIT
# Makes the plain comments of a header into Doxygen's: the block at its top is the file's, a block right above
# a declaration is that of each function up to the next empty line, a comment behind an enumerator or a member
# is its. A block with an empty line behind it belongs to nothing. The conventions of all headers are the main page.
FNR == 1 { if (FILENAME !~ /mproc\/mproc\.h$/) print "/// @file"; at_top = 1; next }

/^[ \t]*\/\/( |$)/ {
  sub(/\/\//, "///")
  block = block $0 "\n"
  fresh = 1
  next
}

fresh && /^[ \t]*$/ && !at_top { gsub(/\/\/\//, "//", block); printf "%s", block; block = fresh = "" }
fresh && at_top && FILENAME ~ /mproc\/mproc\.h$/ { printf "/// @mainpage libmproc\n%s\n/// @file\n", block }
fresh { printf "%s", block; if (at_top) block = ""; at_top = fresh = 0; shown = 1 }
/^[ \t]*$/ { block = ""; shown = 0 }

# One more function of the group.
/^MPROC_API / && block != "" && !shown { printf "%s", block }

{
  shown = 0
  if ($0 !~ /\\$/) sub(/[ \t]\/\/ /, " ///< ")
  print
}
