/** For who starts it by this name. `npm start` goes the shorter way. */
import './start.js';
