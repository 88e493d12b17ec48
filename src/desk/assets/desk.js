// What makes the desk more comfortable; every page works without it.
"use strict";
