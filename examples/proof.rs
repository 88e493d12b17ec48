use gazetted::{manuscript, prose::Language, publication::*};
fn main() {
    let p = Publication {
        key: "p".into(),
        title: "P".into(),
        description: String::new(),
        language: Language::parse("zh-Hans").unwrap(),
        time_zone: jiff::tz::TimeZone::UTC,
        base_url: "https://example.org/".into(),
        authority: "example.org,2026".into(),
        imprint: Imprint::default(),
    };
    let args: Vec<String> = std::env::args().collect();
    let out = &args[1];
    for f in &args[2..] {
        let bytes = std::fs::read(f).unwrap();
        let name = std::path::Path::new(f).file_name().unwrap().to_str().unwrap();
        let t = std::time::Instant::now();
        let m = manuscript::open(name, &bytes).unwrap();
        let proof = manuscript::read(&m, &p);
        let d = t.elapsed();
        if out == "-" {
            println!("{}", serde_json::to_string_pretty(&proof.to_json()).unwrap());
            continue;
        }
        if out == "time" {
            println!("{name} {} bytes {:?}", bytes.len(), d);
            continue;
        }
        std::fs::write(
            format!("{out}/{}.json", &name[..3]),
            serde_json::to_string_pretty(&proof.to_json()).unwrap(),
        )
        .unwrap();
    }
}
