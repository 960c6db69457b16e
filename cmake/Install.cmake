# What `cmake --install` lays down: headers, both libraries, the program, find_package, pkg-config.
