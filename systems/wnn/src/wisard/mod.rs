//! WiSARD, a weightless classifier, with bleaching.
