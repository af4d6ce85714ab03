import "a-library-that-is-not-installed";

export default {};
