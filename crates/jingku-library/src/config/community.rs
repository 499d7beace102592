//! Settings of the image community.

use serde::{Deserialize, Serialize};

/// The category of tags without another category, as the real service calls it.
pub const OTHERS: &str = "其他";

/// Settings of the community.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Community {
    /// Who approves submitted images.
    pub approve: Approve,
    /// The tags to choose from, in display order. Images may have others.
    pub categories: Vec<Category>,
}

/// Who approves submitted images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Approve {
    /// The operator, with `jingku review`.
    #[default]
    Operator,
    /// Nobody: a submitted image is public at once.
    Automatic,
}

/// Related tags.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Its name.
    pub name: String,
    /// Its tags, in display order.
    #[serde(default)]
    pub tags: Vec<String>,
}

impl Default for Community {
    /// The categories of the real service with common tags.
    fn default() -> Self {
        let category = |name: &str, tags: &[&str]| Category {
            name: name.to_owned(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        };
        Self {
            approve: Approve::default(),
            categories: vec![
                category("AIGC热门", &["ComfyUI", "Stable Diffusion", "FLUX", "DeepSeek"]),
                category("图像/视频生成", &["文生图", "图生图", "文生视频", "图生视频", "数字人"]),
                category("语音/TTS生成", &["TTS", "语音克隆", "语音识别", "GPT-SoVITS", "Whisper"]),
                category("LLM", &["大语言模型", "vLLM", "SGLang", "Ollama", "微调", "Qwen", "Llama"]),
                category("计算机视觉", &["目标检测", "图像分割", "OCR", "YOLO", "三维重建"]),
                category("科学计算", &["PyTorch", "TensorFlow", "JAX", "分子动力学", "生物信息"]),
                category(OTHERS, &["JupyterLab", "开发环境", "游戏"]),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_settings_have_defaults() {
        let community: Community = toml::from_str("approve = \"automatic\"").unwrap();
        assert_eq!((community.approve, community.categories.len()), (Approve::Automatic, 7));
        let community: Community = toml::from_str(
            "[[categories]]\nname = \"Lab\"\ntags = [\"cv\"]\n[[categories]]\nname = \"Empty\"",
        )
        .unwrap();
        assert_eq!((community.approve, community.categories.len()), (Approve::Operator, 2));
        assert!(toml::from_str::<Community>("approve = \"nobody\"").is_err());
    }
}
