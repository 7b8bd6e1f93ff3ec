//! UTF-8 that was read as Latin-1 or Windows-1252: `TromsÃ¸`.

/// The characters of Windows-1252 from 0x80 on; a space where it has none.
const FROM_0X80: &str = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";

/// Whether a text becomes UTF-8 with letters beyond ASCII if it is converted back.
///
/// Some real texts can be converted back, too: `BLÅ–HVIT`, `NESCAFÉ®`. So a letter of Latin scripts that came from a capital
/// other than `Ã` counts only within a word in small letters, and one of other scripts only if another follows.
pub(super) fn is_garbled(text: &str) -> bool {
    if text.is_ascii() {
        return false;
    }
    let bytes: Option<Vec<u8>> = text.chars().map(byte).collect();
    let Some(original) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) else {
        return false;
    };
    let is_of_other_script = |letter: char| letter > '\u{17f}' && letter.is_alphabetic();
    let mut pairs = original.chars().zip(original.chars().skip(1));
    let mut before = ' ';
    pairs.any(|(one, next)| is_of_other_script(one) && is_of_other_script(next))
        || original.chars().any(|letter| {
            let is_within_word = before.is_lowercase();
            before = letter;
            matches!(letter, '\u{c0}'..='\u{ff}') && letter.is_alphabetic()
                || matches!(letter, '\u{100}'..='\u{17f}') && is_within_word
        })
}

fn byte(character: char) -> Option<u8> {
    u8::try_from(character).ok().or_else(|| {
        let position = FROM_0X80.chars().position(|known| known == character)?;
        u8::try_from(position).ok()?.checked_add(0x80)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_were_read_wrongly() {
        for text in [
            "TromsÃ¸",
            "TROMSÃ˜",
            "TROMS\u{c3}\u{98}",
            "Ã…se",
            "Ã\u{85}se",
            "BodÃ¸",
            "MÃ¸ller",
            "BlÃ¥bÃ¦r",
            "KÃ¡rÃ¡Å¡johka",
            "MÃ¼ller",
            "StraÃŸe",
            "CafÃ© FranÃ§ois",
            "PaweÅ‚",
            "Ã˜rsta â€“ Volda",
            "KrÃ³l",
            "smÃ¶r",
            "Ð\u{9c}Ð¾Ñ\u{81}ÐºÐ²Ð°",
            "Î‘Î¸Î®Î½Î±",
        ] {
            assert!(is_garbled(text), "{text}");
        }
    }

    #[test]
    fn texts_that_are_right() {
        for text in [
            "Tromsø",
            "TROMSØ",
            "Åse",
            "ÅSE BLÅ",
            "Å",
            "Bodø",
            "Kárášjohka",
            "Guovdageaidnu Šibenik",
            "Unjárga Ŋ",
            "Paweł Król",
            "Łódź",
            "Straße 5",
            "Müller & Söhne",
            "Café François",
            "“MILJØ”",
            "MILJØ’S",
            "BLÅ–HVIT",
            "BLÅ…",
            "NESCAFÉ®",
            "NESCAFÉ® og NESCAFÉ®",
            "CAFÉ™",
            "SÃO PAULO",
            "São João",
            "MAÇÃ…",
            "Größe 42½ °C",
            "Kaffe 250 g – mørk",
            "100 €",
            "Ørsted™",
            "Æ®",
            "日本",
            "Ð",
            "«på\u{a0}»",
            "Å\u{a0}i Lofoten",
            "Âge d’or",
            "Klosterenget 144",
            "",
        ] {
            assert!(!is_garbled(text), "{text}");
        }
    }
}
