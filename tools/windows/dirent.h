/* dirent.h: see posix.h, which is there already. */
