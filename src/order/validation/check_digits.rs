//! The numbers of the Norwegian registers.

/// Whether the national population register can have issued a national identity number or D-number.
///
/// Eleven digits, a date that exists in some century, and two check digits. The first one may
/// leave a remainder of 0 to 3, the rule that Skatteetaten introduces in 2032 (today it is 0).
/// D-numbers have 4 added to the first digit; synthetic ones 80 or 40 added to the month.
pub(super) fn is_personal_number(number: &str) -> bool {
    let Some(digits) = digits::<11>(number) else { return false };
    let [d1, d2, m1, m2, y1, y2, ..] = digits;
    let (day, month, year) = (d1 * 10 + d2, m1 * 10 + m2, y1 * 10 + y2);
    let day = if day > 40 { day - 40 } else { day };
    let month = match month {
        81..=92 => month - 80,
        41..=52 => month - 40,
        _ => month,
    };
    let first = weigh(&digits, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11;
    let second = weigh(&digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11;
    (1..=days_in(month, year)).contains(&day) && first <= 3 && second == 0
}

/// Whether the Brønnøysund register can have issued an organisation number: nine digits, modulus 11. The register begins
/// them with 8 or 9, the test register with 2 or 3.
pub(super) fn is_organization_number(number: &str) -> bool {
    digits::<9>(number).is_some_and(|digits| {
        matches!(digits, [2 | 3 | 8 | 9, ..]) && weigh(&digits, &[3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
    })
}

fn digits<const N: usize>(number: &str) -> Option<[u32; N]> {
    let digits: Option<Vec<u32>> = number.chars().map(|c| c.to_digit(10)).collect();
    digits?.try_into().ok()
}

fn weigh(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

/// The most days of the month in the year `yy` of any century (`00` as 2000, a leap year).
fn days_in(month: u32, year: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) => 29,
        2 => 28,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issued_personal_numbers_pass() {
        for number in [
            "30908299902",
            "03851598730",
            "41819077906", // as issued today; the last one is a D-number
            "30108299939",
            "20036914700",
            "29020073150",
            "55102499947", // of the test register
        ] {
            assert!(is_personal_number(number), "{number}");
        }
    }

    #[test]
    fn impossible_personal_numbers_do_not() {
        for number in [
            "20036914712", // wrong check digits
            "29020105729", // 29 February, but not a leap year
            "3090829990",
            "309082999022",
            "3090829990a",
            "",
            "00000000000",
            "３0908299902",
        ] {
            assert!(!is_personal_number(number), "{number}");
        }
    }

    #[test]
    fn any_single_wrong_digit_of_a_classic_number_is_found_by_the_second_check_digit() {
        let number = "30908299902";
        for place in 0..11 {
            for digit in '0'..='9' {
                let mut other: Vec<char> = number.chars().collect();
                other[place] = digit;
                let other: String = other.into_iter().collect();
                assert_eq!(is_personal_number(&other), other == number, "{other}");
            }
        }
    }

    #[test]
    fn organization_numbers() {
        assert!(is_organization_number("974760673"));
        assert!(is_organization_number("925710482"));
        assert!(is_organization_number("310000000"), "the test register's");
        for number in ["123456789", "97476067", "9747606733", "97476067x", "", "974760674", "000000000", "123456785", "700000001"]
        {
            assert!(!is_organization_number(number), "{number}");
        }
    }
}
