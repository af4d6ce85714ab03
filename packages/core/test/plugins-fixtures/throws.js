throw new Error("the fixture throws on import");
