import CCoro
